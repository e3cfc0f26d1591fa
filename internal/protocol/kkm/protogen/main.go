// Command protogen makes kkmpb/kkm.pb.go from kkmpb/kkm.proto. It needs no
// protoc: protocompile parses the file and protoc-gen-go, which go.mod pins as
// a tool, writes the Go code. The output depends on nothing but the input and
// the pinned versions, so a second run leaves no difference.
//
// Usage: protogen DIR FILE
//
// DIR holds FILE, and the code is written beside it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: protogen DIR FILE")
		os.Exit(2)
	}
	if err := generate(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

func generate(ctx context.Context, dir, file string) error {
	req, err := compile(ctx, dir, file)
	if err != nil {
		return err
	}
	out, err := plugin(ctx, req)
	if err != nil {
		return err
	}
	for _, f := range out.GetFile() {
		if err := os.WriteFile(filepath.Join(dir, f.GetName()), []byte(f.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compile parses and links the file and wraps it as protoc would for a plugin.
func compile(ctx context.Context, dir, file string) (*pluginpb.CodeGeneratorRequest, error) {
	c := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{dir}},
		SourceInfoMode: protocompile.SourceInfoStandard, // comments go into the Go code
	}
	files, err := c.Compile(ctx, file)
	if err != nil {
		return nil, err
	}
	return &pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{file},
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      descriptors(files),
	}, nil
}

func descriptors(files linker.Files) []*descriptorpb.FileDescriptorProto {
	all := make([]*descriptorpb.FileDescriptorProto, 0, len(files))
	for _, f := range files {
		all = append(all, protoutil.ProtoFromFileDescriptor(f))
	}
	return all
}

// plugin runs the pinned protoc-gen-go on the request.
func plugin(ctx context.Context, req *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	in, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "tool", "protoc-gen-go")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("protoc-gen-go: %w", err)
	}
	res := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(out, res); err != nil {
		return nil, fmt.Errorf("answer of protoc-gen-go: %w", err)
	}
	if res.Error != nil {
		return nil, errors.New(res.GetError())
	}
	return res, nil
}

package ui

import (
	"html/template"
	"strings"
	"text/template/parse"
)

// folder puts into the templates of one language what is the same on each page:
// words, labels, icons and addresses of assets that a template names. They stand
// in text and in quoted attributes alone, which the same escaping makes safe, and
// half of what a page costs was to ask for them.
type folder struct {
	l      *Locale
	assets *Assets
	labels *template.Template // has the template "label"
	told   map[string]string  // labels, by key
}

// escaped is a text as html/template writes it.
var escaped = strings.NewReplacer(`"`, "&#34;", "&", "&amp;", "'", "&#39;", "+", "&#43;", "<", "&lt;", ">", "&gt;", "\x00", "\uFFFD")

// fold changes the templates of a set that was not executed yet.
func (f *folder) fold(set *template.Template) error {
	for _, t := range set.Templates() {
		if t.Tree == nil || t.Tree.Root == nil {
			continue
		}
		if err := f.list(t.Tree.Root); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) list(l *parse.ListNode) error {
	if l == nil {
		return nil
	}
	nodes := l.Nodes[:0]
	for _, n := range l.Nodes {
		text, known, err := f.text(n)
		if err != nil {
			return err
		}
		if known {
			n = &parse.TextNode{NodeType: parse.NodeText, Pos: n.Position(), Text: text}
		}
		now, isText := n.(*parse.TextNode)
		if k := len(nodes); isText && k > 0 {
			if before, ok := nodes[k-1].(*parse.TextNode); ok {
				before.Text = append(before.Text[:len(before.Text):len(before.Text)], now.Text...)
				continue
			}
		}
		nodes = append(nodes, n)
		if err := f.inside(n); err != nil {
			return err
		}
	}
	clear(l.Nodes[len(nodes):])
	l.Nodes = nodes
	return nil
}

func (f *folder) inside(n parse.Node) error {
	var b *parse.BranchNode
	switch n := n.(type) {
	case *parse.IfNode:
		b = &n.BranchNode
	case *parse.WithNode:
		b = &n.BranchNode
	case *parse.RangeNode:
		b = &n.BranchNode
	default:
		return nil
	}
	if err := f.list(b.List); err != nil {
		return err
	}
	return f.list(b.ElseList)
}

// text is what a node writes, if that is known by now.
func (f *folder) text(n parse.Node) (text []byte, known bool, err error) {
	switch n := n.(type) {
	case *parse.ActionNode:
		if len(n.Pipe.Decl) > 0 || len(n.Pipe.Cmds) != 1 || len(n.Pipe.Cmds[0].Args) != 2 {
			return nil, false, nil
		}
		args := n.Pipe.Cmds[0].Args
		function, ok := args[0].(*parse.IdentifierNode)
		key, constant := args[1].(*parse.StringNode)
		if !ok || !constant {
			return nil, false, nil
		}
		switch function.Ident {
		case "T":
			return []byte(escaped.Replace(f.l.T(key.Text))), true, nil
		case "asset":
			return []byte(escaped.Replace(f.assets.Path(key.Text))), true, nil
		case "icon":
			return []byte(Icon(key.Text)), true, nil
		}
	case *parse.TemplateNode:
		if n.Name != "label" || n.Pipe == nil || len(n.Pipe.Cmds) != 1 || len(n.Pipe.Cmds[0].Args) != 1 {
			return nil, false, nil
		}
		if key, ok := n.Pipe.Cmds[0].Args[0].(*parse.StringNode); ok {
			said, err := f.label(key.Text)
			return []byte(said), err == nil, err
		}
	}
	return nil, false, nil
}

func (f *folder) label(key string) (string, error) {
	if said, ok := f.told[key]; ok {
		return said, nil
	}
	var b strings.Builder
	if err := f.labels.ExecuteTemplate(&b, "label", key); err != nil {
		return "", err
	}
	f.told[key] = b.String()
	return b.String(), nil
}

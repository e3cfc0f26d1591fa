package kkt

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

// Config describes a register. The zero value is usable.
type Config struct {
	Version wire.PVersion  // of its messages; 0 means 1.2
	Zone    *time.Location // of its clock; nil means UTC
	Flags   wire.Flags     // of its messages; 0 means container and reply expected, no CRC

	Tries     int           // to send one message before giving up for now; 0 means 4
	Pause     time.Duration // between them; 0 means 500 ms
	Reconnect time.Duration // after a failed delivery in Work; 0 means 60 s
}

// Exchanger carries one message to the operator and brings the container of
// the answer, nil for a header alone. Link is one.
type Exchanger interface {
	Exchange(ctx context.Context, message []byte) ([]byte, error)
	Close() error // the next Exchange connects anew
}

var _ Exchanger = (*Link)(nil)

// Register is a register on a drive: it makes documents and sends what waits.
// Safe for concurrent use: making never waits for sending, and one message of a
// queue is under way at a time.
type Register struct {
	cfg       Config
	drive     *Drive
	documents Exchanger
	marking   Exchanger
	now       func() time.Time
	rand      io.Reader

	line [2]sync.Mutex // by Queue: one exchange at a time
	wake chan struct{} // holds one when something was made since Work last looked
}

// New makes a register on a drive. marking may be the same link as documents,
// or nil for a register that sells no marked goods. now is its clock, rand
// spreads the deliveries of many registers. Nothing is sent.
func New(cfg Config, drive *Drive, documents, marking Exchanger, now func() time.Time, rand io.Reader) *Register {
	if cfg.Version == 0 {
		cfg.Version = wire.P120
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Flags == 0 {
		cfg.Flags = wire.FlagsDocument
	}
	if cfg.Tries == 0 {
		cfg.Tries = 4
	}
	if cfg.Pause == 0 {
		cfg.Pause = 500 * time.Millisecond
	}
	if cfg.Reconnect == 0 {
		cfg.Reconnect = time.Minute
	}
	return &Register{cfg: cfg, drive: drive, documents: documents, marking: marking, now: now, rand: rand, wake: make(chan struct{}, 1)}
}

// wall is what the register's clock shows.
func (r *Register) wall() fiscal.WallTime { return fiscal.WallIn(r.now(), r.cfg.Zone) }

// Make makes a document or a notification now; Deliver or Work sends it.
//
// Errors: as Drive.Make.
func (r *Register) Make(doc Document) (Made, error) {
	made, err := r.drive.Make(r.wall(), doc)
	if err == nil {
		select {
		case r.wake <- struct{}{}:
		default: // Work will look anyway
		}
	}
	return made, err
}

// Standing is the drive's.
func (r *Register) Standing() Standing { return r.drive.Standing() }

// Delivered is a message that was answered.
type Delivered struct {
	Code     wire.DocCode
	Number   uint32
	Made     fiscal.WallTime
	Ack      wire.Ack // of a document; not Accepted where the operator found fault
	Document []byte   // the answer's document: 7, or 84 for a notification
}

// Deliver sends what waits in a queue, strictly in order, each message until it
// is answered. It returns what was answered, also beside an error: after as
// many tries as Config says, Unavailable, the last *LinkError or *DriveError
// inside.
//
// Source: KKT reference §2.6, §7.3.
func (r *Register) Deliver(ctx context.Context, q Queue) ([]Delivered, error) {
	r.line[q].Lock()
	defer r.line[q].Unlock()
	var done []Delivered
	for {
		job, ok := r.drive.Oldest(q)
		if !ok {
			return done, nil
		}
		a, err := r.settle(ctx, q, job)
		if err != nil {
			return done, err
		}
		done = append(done, Delivered{Code: job.Code, Number: job.Number, Made: job.Made, Ack: a.Ack, Document: a.Document})
	}
}

// settle sends one message until the drive takes an answer to it: the same
// bytes each time, so that the operator knows a repetition.
func (r *Register) settle(ctx context.Context, q Queue, job Job) (wire.Answered, error) {
	link, service := r.documents, wire.ServiceDocuments
	if q == QueueNotifications {
		link, service = r.marking, wire.ServiceMarking
	}
	message, err := r.message(service, job.Frame)
	if err != nil {
		return wire.Answered{}, err
	}
	for try := 1; ; try++ {
		a, err := r.once(ctx, link, message, func(frame []byte) (wire.Answered, error) { return r.drive.Take(q, frame) })
		if err == nil || !errors.Is(err, fiscal.Unavailable) || try == r.cfg.Tries {
			return a, err
		}
		pause := time.NewTimer(r.cfg.Pause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return wire.Answered{}, err
		}
	}
}

// once sends a message one time and has the answer judged.
func (r *Register) once(ctx context.Context, link Exchanger, message []byte, take func([]byte) (wire.Answered, error)) (wire.Answered, error) {
	if link == nil {
		return wire.Answered{}, &LinkError{Stage: AtConnect, Err: errors.New("no link for this service")}
	}
	frame, err := link.Exchange(ctx, message)
	if err != nil {
		return wire.Answered{}, err
	}
	a, err := take(frame)
	if err != nil {
		_ = link.Close() // whatever else stands in the connection is not trusted
	}
	return a, err
}

// Ask asks the marking system about a code, once: a register that gets no
// answer in time sells without.
//
// Errors: as Drive.Ask and Deliver.
func (r *Register) Ask(ctx context.Context, doc Document) (Delivered, error) {
	made, frame, err := r.drive.Ask(r.wall(), doc)
	if err != nil {
		return Delivered{}, err
	}
	message, err := r.message(wire.ServiceMarking, frame)
	if err != nil {
		return Delivered{}, err
	}
	r.line[QueueNotifications].Lock()
	defer r.line[QueueNotifications].Unlock()
	a, err := r.once(ctx, r.marking, message, func(answer []byte) (wire.Answered, error) { return r.drive.Answer(frame, answer) })
	if err != nil {
		return Delivered{}, err
	}
	return Delivered{Code: made.Code, Number: made.Numbers.Number, Made: made.Numbers.Time, Document: a.Document}, nil
}

// Ping asks with an empty message whether the operator is there.
//
// Errors: *LinkError.
func (r *Register) Ping(ctx context.Context) error {
	return r.ping(ctx, QueueDocuments, r.documents, wire.Header{Service: wire.ServiceDocuments, Version: r.cfg.Version})
}

func (r *Register) ping(ctx context.Context, q Queue, link Exchanger, h wire.Header) error {
	if link == nil {
		return &LinkError{Stage: AtConnect, Err: errors.New("no link for this service")}
	}
	h.Drive, h.Flags = r.drive.cfg.Number, wire.FlagReply
	message, _ := h.AppendBinary(nil)
	r.line[q].Lock()
	defer r.line[q].Unlock()
	frame, err := link.Exchange(ctx, message)
	if err == nil && frame != nil {
		err = &LinkError{Stage: AtCheck, Err: errors.New("a container in answer to an empty message")}
	}
	return err
}

// message puts the header in front of a container.
func (r *Register) message(service wire.Service, frame []byte) ([]byte, error) {
	h := wire.Header{Service: service, Version: r.cfg.Version, Drive: r.drive.cfg.Number, Flags: r.cfg.Flags}
	if service == wire.ServiceMarking {
		h.Version = wire.PMarked
	}
	return wire.AppendMessage(make([]byte, 0, wire.HeaderLen+len(frame)), h, frame)
}

// Work delivers whatever waits as soon as it is made, until ctx ends. After a
// failure it waits Reconnect, and up to a tenth longer: after an outage
// registers should not all come at once. told, if given, hears of everything
// answered and of each attempt that did not succeed.
func (r *Register) Work(ctx context.Context, told func([]Delivered, error)) {
	for {
		wake := r.wake
		for q := QueueDocuments; q <= QueueNotifications; q++ {
			if _, waits := r.drive.Oldest(q); !waits {
				continue
			}
			done, err := r.Deliver(ctx, q)
			if err != nil {
				wake = nil // not before the pause is over
			}
			if told != nil && ctx.Err() == nil {
				told(done, err)
			}
		}
		pause := time.NewTimer(r.cfg.Reconnect + r.spread(r.cfg.Reconnect/10))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		case <-wake:
			pause.Stop()
		}
	}
}

// spread is a random duration below limit, 0 when there is no randomness.
func (r *Register) spread(limit time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(r.rand, b[:]); err != nil || limit <= 0 {
		return 0
	}
	return time.Duration(binary.LittleEndian.Uint64(b[:]) % uint64(limit))
}

// Close gives links and drive up; what is durable stays.
func (r *Register) Close() error {
	for q := range r.line {
		r.line[q].Lock()
		defer r.line[q].Unlock()
	}
	err := r.documents.Close()
	if r.marking != nil {
		err = errors.Join(err, r.marking.Close())
	}
	return errors.Join(err, r.drive.Close())
}

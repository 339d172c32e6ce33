// witness - cosigns checkpoints of one log, by code that is not ours (c2sp.org/tlog-witness, tlog-cosignature).
//
// Notes, signatures of the log, and proofs that a tree goes on from another are those of Go's checksum database
// (golang.org/x/mod/sumdb/note and tlog); nothing of src/ is compiled in. It is for tests only, and never installed; its key is made of
// a word. tests/peers/go builds it, offline, with Debian's golang-go and golang-golang-x-mod-dev.
//
//	witness key NAME SEED                         its verifier key
//	witness sign NAME SEED TIME                   a line that cosigns standard input, the text of a checkpoint, as of that time
//	witness serve STATE LOGKEY NAME SEED          answers on a port of 127.0.0.1 that it says first. STATE is a file: what it
//	                                              saw last, kept before it is said
//	witness serve STATE LOGKEY NAME SEED CERT KEY the same with TLS
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const algorithm = 4 // cosignature/v1

type cosigner struct {
	name string
	key  ed25519.PrivateKey
	id   uint32
}

func newCosigner(name, seed string) *cosigner {
	s := sha256.Sum256([]byte("witness " + seed))
	c := &cosigner{name: name, key: ed25519.NewKeyFromSeed(s[:])}
	h := sha256.Sum256(append([]byte(name+"\n"), c.material()...))
	c.id = binary.BigEndian.Uint32(h[:])
	return c
}

func (c *cosigner) material() []byte {
	return append([]byte{algorithm}, c.key.Public().(ed25519.PublicKey)...)
}

func (c *cosigner) vkey() string {
	return fmt.Sprintf("%s+%08x+%s", c.name, c.id, base64.StdEncoding.EncodeToString(c.material()))
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }

func (c *cosigner) Sign(text []byte) ([]byte, error) {
	return c.signAt(text, uint64(time.Now().Unix())), nil
}

func (c *cosigner) signAt(text []byte, now uint64) []byte {
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", now)), text...)
	return append(binary.BigEndian.AppendUint64(nil, now), ed25519.Sign(c.key, message)...)
}

type witness struct {
	sync.Mutex
	*cosigner
	log  note.Verifier
	path string
}

type state struct {
	size int64
	root tlog.Hash
}

func parseState(lines []string) (s state, err error) {
	if len(lines) < 2 {
		return s, errors.New("no size and root")
	}
	if s.size, err = strconv.ParseInt(lines[0], 10, 64); err != nil || s.size < 0 || strconv.FormatInt(s.size, 10) != lines[0] {
		return s, errors.New("size")
	}
	s.root, err = tlog.ParseHash(lines[1])
	return s, err
}

func (w *witness) seen() (state, error) {
	data, err := os.ReadFile(w.path)
	if os.IsNotExist(err) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	return parseState(strings.Split(string(data), "\n"))
}

func (w *witness) keep(s state) error {
	fresh := w.path + ".new"
	if err := os.WriteFile(fresh, []byte(fmt.Sprintf("%d\n%s\n", s.size, s.root)), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, w.path)
}

// parseRequest takes the old size, the proof, and the checkpoint as it came.
func parseRequest(body []byte) (old int64, proof tlog.TreeProof, checkpoint []byte, err error) {
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	number := strings.TrimPrefix(lines[0], "old ")
	if !ok || number == lines[0] || len(lines) > 64 {
		return 0, nil, nil, errors.New("form")
	}
	if old, err = strconv.ParseInt(number, 10, 64); err != nil || old < 0 || strconv.FormatInt(old, 10) != number {
		return 0, nil, nil, errors.New("old size")
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, nil, err
		}
		proof = append(proof, h)
	}
	return old, proof, checkpoint, nil
}

func (w *witness) judge(body []byte) (status int, kind, answer string) {
	old, proof, checkpoint, err := parseRequest(body)
	if err != nil {
		return 400, "text/plain", err.Error() + "\n"
	}
	origin, _, _ := strings.Cut(string(checkpoint), "\n")
	if origin != w.log.Name() {
		return 404, "text/plain", "another log\n"
	}
	n, err := note.Open(checkpoint, note.VerifierList(w.log))
	if err != nil {
		return 403, "text/plain", err.Error() + "\n"
	}
	now, err := parseState(strings.Split(n.Text, "\n")[1:])
	if err != nil || old > now.size {
		return 400, "text/plain", "checkpoint\n"
	}
	last, err := w.seen()
	if err != nil {
		return 500, "text/plain", err.Error() + "\n"
	}
	if last.size != old || last.size == now.size && old != 0 && last.root != now.root {
		return 409, "text/x.tlog.size", fmt.Sprintf("%d\n", last.size)
	}
	if old == 0 || old == now.size {
		if len(proof) != 0 {
			return 422, "text/plain", "a proof of nothing\n"
		}
	} else if err := tlog.CheckTree(proof, now.size, now.root, old, last.root); err != nil {
		return 422, "text/plain", err.Error() + "\n"
	}
	if err := w.keep(now); err != nil {
		return 500, "text/plain", err.Error() + "\n"
	}
	signed, err := note.Sign(&note.Note{Text: n.Text}, w.cosigner)
	if err != nil {
		return 500, "text/plain", err.Error() + "\n"
	}
	return 200, "text/plain", string(signed[len(n.Text)+1:])
}

func (w *witness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(out, in.Body, 128<<10))
	if err != nil || in.Method != "POST" || in.URL.Path != "/prefix/add-checkpoint" {
		http.Error(out, "no such thing", http.StatusNotFound)
		return
	}
	w.Lock()
	defer w.Unlock()
	status, kind, answer := w.judge(body)
	out.Header().Set("Content-Type", kind)
	out.WriteHeader(status)
	_, _ = io.WriteString(out, answer)
}

func serve(words []string) error {
	log, err := note.NewVerifier(words[1])
	if err != nil {
		return err
	}
	w := &witness{cosigner: newCosigner(words[2], words[3]), log: log, path: words[0]}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	if len(words) == 6 {
		return http.ServeTLS(l, w, words[4], words[5])
	}
	return http.Serve(l, w)
}

func sign(name, seed, at string) error {
	now, err := strconv.ParseUint(at, 10, 64)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	c := newCosigner(name, seed)
	line := append(binary.BigEndian.AppendUint32(nil, c.id), c.signAt(text, now)...)
	fmt.Printf("— %s %s\n", name, base64.StdEncoding.EncodeToString(line))
	return nil
}

func main() {
	words := os.Args[1:]
	err := errors.New("usage: witness key NAME SEED | sign NAME SEED TIME | serve STATE LOGKEY NAME SEED [CERT KEY]")
	switch {
	case len(words) == 3 && words[0] == "key":
		fmt.Println(newCosigner(words[1], words[2]).vkey())
		return
	case len(words) == 4 && words[0] == "sign":
		if err = sign(words[1], words[2], words[3]); err == nil {
			return
		}
	case (len(words) == 5 || len(words) == 7) && words[0] == "serve":
		err = serve(words[1:])
	}
	fmt.Fprintln(os.Stderr, "witness:", err)
	os.Exit(2)
}

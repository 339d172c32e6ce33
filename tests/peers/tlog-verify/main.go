// tlog-verify - reads a transparency log with code that is not ours.
//
// Ambit's ledger claims to be a log in the layout of c2sp.org/tlog-tiles, with checkpoints (tlog-checkpoint, signed-note)
// and proofs (tlog-proof) that anybody's programs can check. This program is anybody's: hashes, trees, proofs, notes and
// signatures are those of Go's checksum database (golang.org/x/mod/sumdb/tlog and note), and nothing of src/ledger is
// compiled in. It is for tests only, and never installed. tests/peers/go builds it, offline, with Debian's golang-go
// and golang-golang-x-mod-dev.
//
//	tlog-verify check DIR VKEY [--old CHECKPOINT]   the whole log: each entry, each tile, the root, the signature; and
//	                                                that it begins with the tree of an older checkpoint
//	tlog-verify proof FILE VKEY ENTRY [COSIGNER...] a .tlog-proof, and the entry's bytes in a file; and that these have
//	                                                cosigned it (tlog-cosignature)
//	tlog-verify prove DIR VKEY INDEX                writes a .tlog-proof
//	tlog-verify make DIR NAME N [SEED]              makes a log of N entries; says its key. A longer log of the same seed
//	                                                begins with the shorter one
//	tlog-verify sign NAME [SEED]                    signs standard input with the key of such a log
//
// Exit status: 0 good; 1 not, and one line says what, and where; 2 a mistake in the words above.
//
// Where the checksum database differs from the C2SP documents, this file has the difference: names of tiles, the text of
// a checkpoint, entries instead of records, the root of no entries. What it leaves to the library it leaves as it is, with
// two things not relied on: base64 with stray bits, which the library reads, is refused here; and TileHashReader of version
// 0.7.0 hands out hashes of tiles that it did not compare with their parents (see provable).
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
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height    = 8 // of a tile
	width     = 1 << height
	bundle    = -1        // the level of entries, as the library counts
	maxSize   = 1<<62 - 1 // beyond it the library's sums overflow, and it does not end
	proofHead = "c2sp.org/tlog-proof@v1"
)

// No entries have the hash of nothing (RFC 6962, 2.1); the library's 0.7.0 says 32 zeros.
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// ---- tiles in files ----

// tilePath is the library's name of a tile without its height; bundles, its tiles of data, are named entries.
func tilePath(t tlog.Tile) string {
	name := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", t.H))
	if t.L == bundle {
		name = "entries" + strings.TrimPrefix(name, "data")
	}
	return "tile/" + name
}

// tilesOf calls visit for each tile of a level, in order, with the width that a tree of this size gives it. Level l has a
// hash for each complete subtree of 256**l entries; bundles go with level 0.
func tilesOf(size int64, level int, visit func(tlog.Tile) error) error {
	count := size
	if level != bundle {
		count >>= uint(level * height)
	}
	for n := int64(0); n*width < count; n++ {
		w := count - n*width
		if w > width {
			w = width
		}
		if err := visit(tlog.Tile{H: height, L: level, N: n, W: int(w)}); err != nil {
			return err
		}
	}
	return nil
}

type file struct {
	name string
	tile tlog.Tile
	data []byte
}

// files has what a reader may be given for a tile: the full one, which a later tree has, and the partial one of exactly
// this width. Either will do; what is there must be right.
func files(dir string, t tlog.Tile) ([]file, error) {
	full := t
	full.W = width
	candidates := []tlog.Tile{full}
	if t != full {
		candidates = append(candidates, t)
	}
	var there []file
	for _, c := range candidates {
		name := tilePath(c)
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		there = append(there, file{name, c, data})
	}
	if len(there) == 0 {
		return nil, fmt.Errorf("%s: not there", tilePath(t))
	}
	return there, nil
}

// hashes are the first bytes of a tile, as many as the tree of t has.
func (f file) hashes(t tlog.Tile) ([]byte, error) {
	if len(f.data) != f.tile.W*tlog.HashSize {
		return nil, fmt.Errorf("%s: %d bytes, not %d hashes", f.name, len(f.data), f.tile.W)
	}
	return f.data[:t.W*tlog.HashSize], nil
}

// entries takes a bundle apart: as many as its name says, each after its length in two bytes, nothing left over.
func (f file) entries() ([][]byte, error) {
	var all [][]byte
	for rest := f.data; len(rest) > 0; {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("%s: ends within entry %d", f.name, f.tile.N*width+int64(len(all)))
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		all = append(all, rest[2:end])
		rest = rest[end:]
	}
	if len(all) != f.tile.W {
		return nil, fmt.Errorf("%s: %d entries, not %d", f.name, len(all), f.tile.W)
	}
	return all, nil
}

// tileReader hands the files to the library.
type tileReader struct {
	dir  string
	seen map[tlog.Tile][]byte
}

func (r tileReader) Height() int                         { return height }
func (r tileReader) SaveTiles(t []tlog.Tile, d [][]byte) {}
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		if r.seen[t] == nil {
			there, err := files(r.dir, t)
			if err != nil {
				return nil, err
			}
			if r.seen[t], err = there[0].hashes(t); err != nil {
				return nil, err
			}
		}
		all = append(all, r.seen[t])
	}
	return all, nil
}

func tiles(dir string, tree tlog.Tree) tlog.HashReader {
	return tlog.TileHashReader(tree, tileReader{dir, map[tlog.Tile][]byte{}})
}

// stored are a tree's hashes in the order in which the library stores them.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, x := range indexes {
		all = append(all, s[x])
	}
	return all, nil
}

func (s *stored) add(n int64, entry []byte) error {
	more, err := tlog.StoredHashes(n, entry, *s)
	*s = append(*s, more...)
	return err
}

func root(size int64, r tlog.HashReader) (tlog.Hash, error) {
	if size == 0 {
		return emptyRoot, nil
	}
	return tlog.TreeHash(size, r)
}

// ---- texts ----

// number reads a decimal that is written in the one way it may be.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxSize || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return n, nil
}

func hash(text string) (tlog.Hash, error) {
	h, err := tlog.ParseHash(text)
	if err != nil || h.String() != text {
		return h, fmt.Errorf("%q is not a hash", text)
	}
	return h, nil
}

// openCheckpoint believes nothing of it before the signature. Its first line must be the name of the key: a key that
// signs for two logs would let one stand for the other.
func openCheckpoint(what string, signed []byte, vkey note.Verifier) (tree tlog.Tree, err error) {
	n, err := note.Open(signed, note.VerifierList(vkey))
	if err != nil {
		return tree, fmt.Errorf("%s: %w", what, err)
	}
	lines := strings.Split(strings.TrimSuffix(n.Text, "\n"), "\n")
	if len(lines) < 3 {
		return tree, fmt.Errorf("%s: %d lines, not three", what, len(lines))
	}
	for i, line := range lines {
		if line == "" {
			return tree, fmt.Errorf("%s: line %d is empty", what, i+1)
		}
	}
	if lines[0] != vkey.Name() {
		return tree, fmt.Errorf("%s: it is of the log %q, the key of %q", what, lines[0], vkey.Name())
	}
	if tree.N, err = number(lines[1]); err != nil {
		return tree, fmt.Errorf("%s: size: %w", what, err)
	}
	if tree.Hash, err = hash(lines[2]); err != nil {
		return tree, fmt.Errorf("%s: root: %w", what, err)
	}
	if tree.N == 0 && tree.Hash != emptyRoot {
		return tree, fmt.Errorf("%s: root: not that of no entries", what)
	}
	return tree, nil
}

func readCheckpoint(path string, vkey note.Verifier) (tlog.Tree, error) {
	signed, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(path, signed, vkey)
}

type proof struct {
	index      int64
	hashes     tlog.RecordProof
	checkpoint []byte
}

func parseProof(text string) (p proof, err error) {
	lines := strings.SplitAfter(text, "\n")
	at := 0
	next := func() string {
		if at == len(lines) || !strings.HasSuffix(lines[at], "\n") {
			return "\n" // which nothing but the end of the hashes is
		}
		at++
		return strings.TrimSuffix(lines[at-1], "\n")
	}
	if line := next(); line != proofHead {
		return p, fmt.Errorf("line %d: not %q", at, proofHead)
	}
	line := next()
	if extra := strings.TrimPrefix(line, "extra "); extra != line {
		data, err := base64.StdEncoding.DecodeString(extra)
		if err != nil || len(data) == 0 || base64.StdEncoding.EncodeToString(data) != extra {
			return p, fmt.Errorf("line %d: not base64", at)
		}
		line = next()
	}
	index := strings.TrimPrefix(line, "index ")
	if index == line {
		return p, fmt.Errorf("line %d: no index", at)
	}
	if p.index, err = number(index); err != nil {
		return p, fmt.Errorf("line %d: index: %w", at, err)
	}
	for line = next(); line != ""; line = next() {
		h, err := hash(line)
		if err != nil {
			return p, fmt.Errorf("line %d: %w", at, err)
		}
		p.hashes = append(p.hashes, h)
	}
	p.checkpoint = []byte(strings.Join(lines[at:], ""))
	return p, nil
}

// ---- what can be asked ----

func check(dir string, vkey note.Verifier, oldPath string) error {
	tree, err := readCheckpoint(filepath.Join(dir, "checkpoint"), vkey)
	if err != nil {
		return err
	}
	mine, err := readEntries(dir, tree.N)
	if err != nil {
		return err
	}
	computed, err := root(tree.N, mine)
	if err != nil {
		return err
	}
	// If the entries are those that were signed for, what differs from them is wrong; else the entry may be.
	for level := 0; tree.N>>uint(level*height) > 0; level++ {
		if err := compareTiles(dir, tree.N, level, mine, computed == tree.Hash); err != nil {
			return err
		}
	}
	if computed != tree.Hash {
		return fmt.Errorf("checkpoint: %s is not the root of the %d entries, which is %s", tree.Hash, tree.N, computed)
	}
	if tree.N > 0 {
		if err := provable(dir, tree, mine); err != nil {
			return err
		}
	}
	if oldPath != "" {
		if err := beginsWith(dir, tree, oldPath, vkey); err != nil {
			return err
		}
	}
	fmt.Printf("good: %d entries, root %s\n", tree.N, tree.Hash)
	return nil
}

// readEntries computes all of the tree's hashes from the entries alone.
func readEntries(dir string, size int64) (stored, error) {
	var mine stored
	err := tilesOf(size, bundle, func(t tlog.Tile) error {
		there, err := files(dir, t)
		if err != nil {
			return err
		}
		for i, f := range there {
			entries, err := f.entries()
			if err != nil {
				return err
			}
			for j, entry := range entries[:t.W] {
				n := t.N*width + int64(j)
				if i == 0 {
					if err := mine.add(n, entry); err != nil {
						return err
					}
				} else if tlog.RecordHash(entry) != mine[tlog.StoredHashIndex(0, n)] {
					return fmt.Errorf("%s: entry %d is another one in %s", f.name, n, there[0].name)
				}
			}
		}
		return nil
	})
	return mine, err
}

func compareTiles(dir string, size int64, level int, mine stored, signedFor bool) error {
	return tilesOf(size, level, func(t tlog.Tile) error {
		want, err := tlog.ReadTileData(t, mine)
		if err != nil {
			return err
		}
		there, err := files(dir, t)
		if err != nil {
			return err
		}
		for _, f := range there {
			have, err := f.hashes(t)
			if err != nil {
				return err
			}
			for i := 0; i < len(want); i += tlog.HashSize {
				if bytes.Equal(have[i:i+tlog.HashSize], want[i:i+tlog.HashSize]) {
					continue
				}
				n := t.N*width + int64(i/tlog.HashSize)
				if level == 0 && !signedFor {
					return fmt.Errorf("entry %d: %s has another hash for it, and the root is not that of the entries", n, f.name)
				}
				return fmt.Errorf("%s: hash %d is not that of the entries beneath it", f.name, n%width)
			}
		}
		return nil
	})
}

// provable lets the library read the tiles as its clients do, and prove entries from them: all of a small log, else some
// sixty, the first and the last among them. A proof is checked against the root and not believed because of where
// its hashes come from: TileHashReader takes the first len(stx) tiles for those that make the root, though there are
// fewer of them whenever two parts of the root are in one tile, and leaves the next ones unchecked.
func provable(dir string, tree tlog.Tree, mine stored) error {
	r := tiles(dir, tree)
	if h, err := tlog.TreeHash(tree.N, r); err != nil || h != tree.Hash {
		return fmt.Errorf("the tiles give the root %s: %v", h, err)
	}
	for n := int64(0); n < tree.N; n += 1 + tree.N/32 {
		for _, n := range []int64{n, tree.N - 1 - n} {
			p, err := tlog.ProveRecord(tree.N, n, r)
			if err == nil {
				err = tlog.CheckRecord(p, tree.N, tree.Hash, n, mine[tlog.StoredHashIndex(0, n)])
			}
			if err != nil {
				return fmt.Errorf("entry %d: cannot be proved from the tiles: %w", n, err)
			}
		}
	}
	return nil
}

func beginsWith(dir string, tree tlog.Tree, oldPath string, vkey note.Verifier) error {
	old, err := readCheckpoint(oldPath, vkey)
	if err != nil {
		return err
	}
	if old.N > tree.N {
		return fmt.Errorf("checkpoint: of %d entries, though %s is of %d: entries are gone", tree.N, oldPath, old.N)
	}
	if old.N == 0 {
		return nil // all trees begin with it, and its root was looked at
	}
	p, err := tlog.ProveTree(tree.N, old.N, tiles(dir, tree))
	if err == nil {
		err = tlog.CheckTree(p, tree.N, tree.Hash, old.N, old.Hash)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: its %d entries do not begin with the %d of %s: %w", tree.N, old.N, oldPath, err)
	}
	return nil
}

// cosigner verifies cosignature/v1, which the library does not know.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%q: no key", vkey)
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != 4 {
		return nil, fmt.Errorf("%q: no key of a cosigner", vkey)
	}
	h := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	c := &cosigner{parts[0], binary.BigEndian.Uint32(h[:]), material[1:]}
	if fmt.Sprintf("%08x", c.id) != parts[1] {
		return nil, fmt.Errorf("%q: the id is another's", vkey)
	}
	return c, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }

func (c *cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))), text...)
	return ed25519.Verify(c.key, message, sig[8:])
}

func checkCosigned(path string, checkpoint []byte, vkeys []string) error {
	for _, vkey := range vkeys {
		c, err := newCosigner(vkey)
		if err != nil {
			return err
		}
		if _, err := note.Open(checkpoint, note.VerifierList(c)); err != nil {
			return fmt.Errorf("%s: not cosigned by %s: %w", path, c.name, err)
		}
	}
	return nil
}

func checkProof(path string, vkey note.Verifier, entryPath string, cosigners []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryPath)
	if err != nil {
		return err
	}
	p, err := parseProof(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	tree, err := openCheckpoint(path+": checkpoint", p.checkpoint, vkey)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(p.hashes, tree.N, tree.Hash, p.index, tlog.RecordHash(entry)); err != nil {
		return fmt.Errorf("%s: %s is not entry %d of the %d: %w", path, entryPath, p.index, tree.N, err)
	}
	if err := checkCosigned(path, p.checkpoint, cosigners); err != nil {
		return err
	}
	fmt.Printf("good: entry %d of %d\n", p.index, tree.N)
	return nil
}

func prove(dir string, vkey note.Verifier, index int64) error {
	path := filepath.Join(dir, "checkpoint")
	signed, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(path, signed, vkey)
	if err != nil {
		return err
	}
	r := tiles(dir, tree)
	hashes, err := tlog.ProveRecord(tree.N, index, r)
	if err != nil {
		return err
	}
	leaf, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err == nil {
		err = tlog.CheckRecord(hashes, tree.N, tree.Hash, index, leaf[0]) // see provable
	}
	if err != nil {
		return fmt.Errorf("entry %d: cannot be proved from the tiles: %w", index, err)
	}
	fmt.Printf("%s\nindex %d\n", proofHead, index)
	for _, h := range hashes {
		fmt.Println(h)
	}
	fmt.Printf("\n%s", signed)
	return nil
}

// ---- a log of its own ----

// keyFor makes the same key of the same words: a test can sign again what it has changed. No secret is kept by it.
func keyFor(name, seed string) (note.Signer, string, error) {
	s := sha256.Sum256([]byte("tlog-verify " + seed))
	skey, vkey, err := note.GenerateKey(bytes.NewReader(s[:]), name)
	if err != nil {
		return nil, "", err
	}
	signer, err := note.NewSigner(skey)
	return signer, vkey, err
}

// makeEntry writes canonical JSON (RFC 8785) of some variety: each kind of letter that it writes in a way of its own.
func makeEntry(n int64, seed string) []byte {
	letters := []string{"a", `\n`, `\"`, `\\`, `\u001f`, "/", "\u007f", "é", "€", "😀"}
	text := strings.Repeat(letters[n%int64(len(letters))], int(n%41))
	log := sha256.Sum256([]byte(seed))
	return []byte(fmt.Sprintf(`{"log":"%x","n":%d,"text":"%s"}`, log[:4], n, text))
}

func put(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

func makeLog(dir, name string, size int64, seed string) error {
	signer, vkey, err := keyFor(name, seed)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(dir, "checkpoint")); err == nil {
		return fmt.Errorf("%s: there is a log already", dir)
	}
	var mine stored
	err = tilesOf(size, bundle, func(t tlog.Tile) error {
		var data []byte
		for i := 0; i < t.W; i++ {
			n := t.N*width + int64(i)
			entry := makeEntry(n, seed)
			if err := mine.add(n, entry); err != nil {
				return err
			}
			data = binary.BigEndian.AppendUint16(data, uint16(len(entry)))
			data = append(data, entry...)
		}
		return put(dir, tilePath(t), data)
	})
	if err != nil {
		return err
	}
	// The library lists the tiles, so that ours of tilesOf is not checked with itself. It lists the partial ones of each
	// width up to the last; a log needs those for which there is a checkpoint, here the last.
	for _, t := range tlog.NewTiles(height, 0, size) {
		if t.W != width && int64(t.W) != size>>uint(t.L*height)%width {
			continue
		}
		data, err := tlog.ReadTileData(t, mine)
		if err != nil {
			return err
		}
		if err := put(dir, tilePath(t), data); err != nil {
			return err
		}
	}
	h, err := root(size, mine)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", name, size, h)}, signer)
	if err != nil {
		return err
	}
	if err := put(dir, "checkpoint", signed); err != nil {
		return err
	}
	fmt.Println(vkey)
	return nil
}

func sign(name, seed string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	signer, _, err := keyFor(name, seed)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(signed)
	return err
}

// ---- words ----

var errUsage = errors.New("usage: tlog-verify check DIR VKEY [--old CHECKPOINT] | proof FILE VKEY ENTRY [COSIGNER...] | " +
	"prove DIR VKEY INDEX | make DIR NAME N [SEED] | sign NAME [SEED]")

func run(words []string) error {
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch n := len(words); {
	case word(0) == "check" && (n == 3 || n == 5 && words[3] == "--old" && words[4] != ""),
		word(0) == "proof" && n >= 4, word(0) == "prove" && n == 4:
		vkey, err := note.NewVerifier(words[2])
		if err != nil {
			return fmt.Errorf("%q: %v; %w", words[2], err, errUsage)
		}
		switch words[0] {
		case "check":
			return check(words[1], vkey, word(4))
		case "proof":
			return checkProof(words[1], vkey, words[3], words[4:])
		}
		index, err := number(words[3])
		if err != nil {
			return fmt.Errorf("%v; %w", err, errUsage)
		}
		return prove(words[1], vkey, index)
	case word(0) == "make" && (n == 4 || n == 5):
		size, err := number(words[3])
		if err != nil {
			return fmt.Errorf("%v; %w", err, errUsage)
		}
		return makeLog(words[1], words[2], size, word(4))
	case word(0) == "sign" && (n == 2 || n == 3):
		return sign(words[1], word(2))
	}
	return errUsage
}

func main() {
	err := run(os.Args[1:])
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "tlog-verify:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

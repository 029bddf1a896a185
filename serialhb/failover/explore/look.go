package explore

// looker plays all moves of the clusters of a block, and keeps what comes of them and was not known before.
type looker struct {
	e        *searcher
	player   *player
	names    renamer
	from, to *codec
	moves    []Move
	text     []byte
	found    [shards]finds

	played, dead uint64

	bad   string
	badAt uint32 // number of the cluster, and the move, after which it was so
	badBy Move
}

// finds are clusters for one shard.
type finds struct {
	bytes []byte // one after the other
	each  []find
}

type find struct {
	hash   uint64
	parent uint32
	by     packed
	size   uint16
}

func newLooker(e *searcher) *looker {
	return &looker{e: e, player: newPlayer(e.s), from: newCodec(e.s), to: newCodec(e.s)}
}

func (l *looker) look(b *block) {
	in := b.bytes
	for n := range b.parents {
		size := int(in[0]) | int(in[1])<<8
		l.from.decode(in[2 : 2+size])
		in = in[2+size:]
		at := uint32(b.first) + uint32(n)
		l.moves = l.e.s.moves(&l.from.c, l.moves[:0])
		if len(l.moves) == 0 {
			l.dead++
		}
		for _, m := range l.moves {
			l.from.c.copyTo(&l.to.c, l.e.s)
			l.played++
			if bad := l.player.play(&l.to.c, m); bad != "" {
				l.bad, l.badAt, l.badBy = bad, at, m
				return
			}
			l.names.rename(l.e.s, &l.to.c)
			l.find(at, pack(m))
		}
	}
}

// find keeps the cluster that a move led to, unless it is known.
func (l *looker) find(parent uint32, by packed) {
	l.text = l.to.encode(l.text[:0])
	h := hash(l.text)
	shard := h >> (64 - shardBits)
	if l.e.known[shard].has(h) {
		return
	}
	f := &l.found[shard]
	f.bytes = append(f.bytes, l.text...)
	f.each = append(f.each, find{h, parent, by, uint16(len(l.text))})
}

// shard is a part of what is known, and of the level that is found.
type shard struct {
	set
	blocks []*block
	wrote  uint64 // bytes
}

// take takes in what lookers found for shard k, and forgets what they found twice.
func (s *shard) take(looks []*looker, k int) {
	for _, l := range looks {
		f := &l.found[k]
		in := f.bytes
		for i := range f.each {
			one := &f.each[i]
			text := in[:one.size]
			in = in[one.size:]
			if s.add(one.hash) {
				s.block().add(text, one.parent, one.by)
				s.wrote += uint64(one.size)
			}
		}
		f.bytes, f.each = f.bytes[:0], f.each[:0]
	}
}

// block is the one that is being filled.
func (s *shard) block() *block {
	n := len(s.blocks)
	if n == 0 || len(s.blocks[n-1].bytes) >= blockBytes {
		s.blocks = append(s.blocks, &block{})
		n++
	}
	return s.blocks[n-1]
}

// packed is a move in two bytes.
type packed uint16

func pack(m Move) packed {
	return packed(m.Kind) | packed(m.I)<<5 | packed(m.P)<<7 | packed(m.G)<<9 | packed(m.Arg)<<10
}

func (p packed) unpack() Move {
	return Move{Kind: Kind(p & 31), I: uint8(p >> 5 & 3), P: uint8(p >> 7 & 3), G: uint8(p >> 9 & 1), Arg: uint8(p >> 10)}
}

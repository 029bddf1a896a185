package address

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ndp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// frame is what goes out below the Ethernet header, and to whom.
type frame struct {
	to   MAC
	body []byte
}

var (
	everybody = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	allNodes  = netip.MustParseAddr("ff02::1")
)

// Lengths and places in an IPv6 header and in the ND message behind it.
const (
	headerLen  = 40
	nextHeader = 6
	hopLimit   = 7
	sourceAt   = 8
	messageAt  = headerLen
	targetAt   = headerLen + 8
)

// frameRoom takes any ARP packet, and any ND message with as many options as a claim has use for.
const frameRoom = 512

func protocol(ip netip.Addr) int {
	if ip.Is4() {
		return unix.ETH_P_ARP
	}
	return unix.ETH_P_IPV6
}

// question asks who has the address, on behalf of somebody who does not have it: an ARP probe (RFC 5227) or a neighbour
// solicitation as duplicate address detection sends it (RFC 4862). The answer to an ARP probe comes to self alone and
// changes no cache; that to the solicitation goes to everybody.
func question(ip netip.Addr, self MAC) (frame, error) {
	if ip.Is4() {
		return arpFrame(arp.OperationRequest, self, netip.IPv4Unspecified(), MAC{}, ip)
	}
	to, err := ndp.SolicitedNodeMulticast(ip)
	if err != nil {
		return frame{}, err
	}
	return ndFrame(&ndp.NeighborSolicitation{TargetAddress: ip}, netip.IPv6Unspecified(), to)
}

// quietQuestion asks the same on behalf of the owner: the answer comes to self alone, since an answer to everybody would
// turn all caches to the duplicate. IPv6 needs another address of the interface for that, its link-local one.
func quietQuestion(ip netip.Addr, self MAC, from netip.Addr) (frame, error) {
	if ip.Is4() {
		return question(ip, self)
	}
	to, err := ndp.SolicitedNodeMulticast(ip)
	if err != nil {
		return frame{}, err
	}
	return ndFrame(&ndp.NeighborSolicitation{
		TargetAddress: ip, Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: self[:]}},
	}, from, to)
}

// announcement tells everybody that the address is at self. For IPv4 it is both a request and a reply, since some
// devices heed only the one or the other. router is whether this host forwards on that interface: an advertisement that
// denied it would make the neighbours drop their default route.
func announcement(ip netip.Addr, self MAC, router bool) ([]frame, error) {
	if ip.Is4() {
		request, err := arpFrame(arp.OperationRequest, self, ip, MAC{}, ip)
		if err != nil {
			return nil, err
		}
		reply, err := arpFrame(arp.OperationReply, self, ip, self, ip)
		return []frame{request, reply}, err
	}
	advert, err := ndFrame(&ndp.NeighborAdvertisement{
		Router: router, Override: true, TargetAddress: ip,
		Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: self[:]}},
	}, ip, allNodes)
	return []frame{advert}, err
}

func arpFrame(op arp.Operation, sender MAC, senderIP netip.Addr, target MAC, targetIP netip.Addr) (frame, error) {
	p, err := arp.NewPacket(op, sender[:], senderIP, target[:], targetIP)
	if err != nil {
		return frame{}, fmt.Errorf("build an ARP packet: %w", err)
	}
	body, err := p.MarshalBinary()
	return frame{to: everybody, body: body}, err
}

func ndFrame(m ndp.Message, from, to netip.Addr) (frame, error) {
	message, err := ndp.MarshalMessageChecksum(m, from, to)
	if err != nil {
		return frame{}, fmt.Errorf("build a neighbour discovery message: %w", err)
	}
	b := make([]byte, headerLen, headerLen+len(message))
	b[0] = 6 << 4
	binary.BigEndian.PutUint16(b[4:], uint16(len(message)))
	b[nextHeader] = unix.IPPROTO_ICMPV6
	b[hopLimit] = ndp.HopLimit
	src, dst := from.As16(), to.As16()
	copy(b[sourceAt:], src[:])
	copy(b[sourceAt+16:], dst[:])
	return frame{to: MAC{0x33, 0x33, dst[12], dst[13], dst[14], dst[15]}, body: append(b, message...)}, nil
}

// claimant says who claims the address in a frame that came from the given station. The MAC is the one that caches
// would learn. A mere question is no claim.
func claimant(ip netip.Addr, from MAC, body []byte) (MAC, bool) {
	if ip.Is4() {
		return arpClaimant(ip, from, body)
	}
	return ndClaimant(ip, from, body)
}

func arpClaimant(ip netip.Addr, from MAC, body []byte) (MAC, bool) {
	var p arp.Packet
	if p.UnmarshalBinary(body) != nil || p.HardwareType != unix.ARPHRD_ETHER || p.ProtocolType != unix.ETH_P_IP {
		return MAC{}, false
	}
	if p.Operation != arp.OperationRequest && p.Operation != arp.OperationReply || p.SenderIP != ip {
		return MAC{}, false
	}
	return learnt(p.SenderHardwareAddr, from), true
}

// ndClaimant does not check the checksum: Ethernet has one of its own, and a claim that goes unheard is worse than one
// heard twice.
func ndClaimant(ip netip.Addr, from MAC, body []byte) (MAC, bool) {
	if len(body) < headerLen || body[0]>>4 != 6 || body[nextHeader] != unix.IPPROTO_ICMPV6 || body[hopLimit] != ndp.HopLimit {
		return MAC{}, false
	}
	end := headerLen + int(binary.BigEndian.Uint16(body[4:]))
	if end > len(body) {
		return MAC{}, false
	}
	m, err := ndp.ParseMessage(body[messageAt:end])
	if err != nil {
		return MAC{}, false
	}
	switch m := m.(type) {
	case *ndp.NeighborAdvertisement:
		return linkLayer(m.Options, ndp.Target, from), m.TargetAddress == ip
	case *ndp.NeighborSolicitation:
		src, ok := netip.AddrFromSlice(body[sourceAt : sourceAt+16])
		return linkLayer(m.Options, ndp.Source, from), ok && src == ip
	}
	return MAC{}, false
}

func linkLayer(options []ndp.Option, which ndp.Direction, from MAC) MAC {
	for _, o := range options {
		if lla, ok := o.(*ndp.LinkLayerAddress); ok && lla.Direction == which {
			return learnt(lla.Addr, from)
		}
	}
	return from
}

func learnt(inside net.HardwareAddr, from MAC) MAC {
	m := MAC{}
	if len(inside) != len(m) || copy(m[:], inside) != len(m) || m == (MAC{}) {
		return from
	}
	return m
}

// filter lets the kernel drop what cannot be a claim, so that other traffic costs nothing. It looks at the last four
// bytes of an address only; claimant looks at all of it.
func filter(ip netip.Addr) ([]bpf.RawInstruction, error) {
	all := ip.AsSlice()
	low := binary.BigEndian.Uint32(all[len(all)-4:])
	const senderAt = 14 // in an ARP packet
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: senderAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: low, SkipFalse: 1},
		bpf.RetConstant{Val: frameRoom},
		bpf.RetConstant{Val: 0},
	}
	if ip.Is6() {
		program = []bpf.Instruction{
			bpf.LoadAbsolute{Off: nextHeader, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_ICMPV6, SkipFalse: 8},
			bpf.LoadAbsolute{Off: messageAt, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: typeAdvertisement, SkipTrue: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: typeSolicitation, SkipFalse: 5},
			bpf.LoadAbsolute{Off: targetAt + 12, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: low, SkipTrue: 2},
			bpf.LoadAbsolute{Off: sourceAt + 12, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: low, SkipFalse: 1},
			bpf.RetConstant{Val: frameRoom},
			bpf.RetConstant{Val: 0},
		}
	}
	return bpf.Assemble(program)
}

// The ICMPv6 types of neighbour discovery.
const (
	typeSolicitation  = 135
	typeAdvertisement = 136
)

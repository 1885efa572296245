package websocket

import (
	"encoding/binary"
	"sync"
)

// decoder turns a client's bytes, cut anywhere, into messages and control
// frames. It is pooled: a connection holds one only in the middle of a frame
// or message.
type decoder struct {
	head    [maxHeader]byte // header under way
	headLen int

	inFrame bool // header complete, payload under way
	final   bool
	op      byte
	mask    [4]byte
	length  uint64 // of the frame's payload
	done    uint64 // bytes of it seen

	message byte    // opcode of the message under way; 0: none
	payload *buffer // its bytes so far
	text    utf8Checker

	control    [maxControl]byte
	controlLen int
}

// event is a whole message (opText, opBinary) or control frame.
type event struct {
	op      byte    // 0: nothing whole yet
	whole   bool    // a frame has ended
	data    bool    // payload of a data frame was among the bytes
	message *buffer // of a message; the taker frees it
	control []byte  // of a control frame; valid until the next decode
}

var decoderPool = sync.Pool{New: func() any { return new(decoder) }}

// idle reports whether the decoder stands between messages and holds nothing.
func (d *decoder) idle() bool {
	return d.headLen == 0 && !d.inFrame && d.message == 0
}

// free gives the decoder back with what it holds.
func (d *decoder) free() {
	if d == nil {
		return
	}
	d.payload.free()
	*d = decoder{}
	decoderPool.Put(d)
}

// decode takes bytes from p up to the end of one frame at most and returns how
// many it took. A violation ends the stream: the decoder must not be used
// afterwards.
func (d *decoder) decode(p []byte, limits *Limits) (taken int, ev event, bad *violation) {
	if !d.inFrame {
		taken, bad = d.readHeader(p, limits)
		if bad != nil || !d.inFrame {
			return taken, event{}, bad
		}
	}
	chunk := p[taken:]
	if left := d.length - d.done; uint64(len(chunk)) > left {
		chunk = chunk[:left]
	}
	taken += len(chunk)
	if isControl(d.op) {
		d.readControl(chunk)
	} else if bad = d.readData(chunk); bad != nil {
		return taken, event{}, bad
	}
	ev.data = !isControl(d.op)
	if d.done < d.length {
		return taken, ev, nil
	}
	d.inFrame, ev.whole = false, true
	d.endFrame(&ev)
	return taken, ev, nil
}

// readHeader takes bytes of a frame header and sets inFrame when it is whole.
// A violation is found as soon as the bytes that show it are there.
func (d *decoder) readHeader(p []byte, limits *Limits) (taken int, bad *violation) {
	for {
		want := 1
		if d.headLen == 1 {
			want = 2
		} else if d.headLen > 1 {
			want = clientHeaderSize(d.head[1])
		}
		n := copy(d.head[d.headLen:want], p[taken:])
		taken += n
		d.headLen += n
		if d.headLen < want {
			return taken, nil
		}
		switch want {
		case 1:
			bad = d.checkFirst(limits)
		case 2:
			bad = d.checkSecond()
		default:
			d.headLen = 0
			return taken, d.startFrame(want, limits)
		}
		if bad != nil {
			return taken, bad
		}
	}
}

// checkFirst checks the byte with the flags and the opcode.
func (d *decoder) checkFirst(limits *Limits) *violation {
	d.final, d.op = d.head[0]&finBit != 0, d.head[0]&0x0F
	if d.head[0]&rsvBits != 0 {
		return protocolError("Reserved bit set")
	}
	switch d.op {
	case opText, opBinary:
		if d.message != 0 {
			return protocolError("New message inside a fragmented one")
		}
		if d.op == opBinary && limits.NoBinary {
			return &violation{CloseUnsupportedData, "Binary is not supported"}
		}
	case opContinuation:
		if d.message == 0 {
			return protocolError("Continuation of no message")
		}
	case opClose, opPing, opPong:
		if !d.final {
			return protocolError("Fragmented control frame")
		}
	default:
		return protocolError("Unknown opcode")
	}
	return nil
}

// checkSecond checks the byte with the mask flag and the short length.
func (d *decoder) checkSecond() *violation {
	if d.head[1]&maskBit == 0 {
		return protocolError("Frame is not masked")
	}
	if isControl(d.op) && d.head[1]&^maskBit > maxControl {
		return protocolError("Control frame too long")
	}
	return nil
}

// startFrame reads the length and the mask from the whole header of size bytes.
func (d *decoder) startFrame(size int, limits *Limits) *violation {
	d.length = uint64(d.head[1] &^ maskBit)
	shortest := uint64(0)
	switch d.length {
	case 126:
		d.length, shortest = uint64(binary.BigEndian.Uint16(d.head[2:])), maxControl+1
	case 127:
		d.length, shortest = binary.BigEndian.Uint64(d.head[2:]), 0xFFFF+1
	}
	if d.length>>63 != 0 {
		return protocolError("Frame length out of range")
	}
	if d.length < shortest {
		return protocolError("Frame length is not minimal")
	}
	copy(d.mask[:], d.head[size-4:size])
	d.inFrame, d.done, d.controlLen = true, 0, 0
	if isControl(d.op) {
		return nil
	}
	return d.startData(limits)
}

// startData checks a data frame's length against the limits.
func (d *decoder) startData(limits *Limits) *violation {
	if limits.FrameBytes > 0 && d.length > uint64(limits.FrameBytes) {
		return &violation{CloseMessageTooBig, "Frame too big"}
	}
	if d.op != opContinuation {
		d.message, d.text = d.op, utf8Checker{}
	}
	total := d.length
	if d.payload != nil {
		total += uint64(len(d.payload.data))
	}
	if limits.MessageBytes > 0 && total > uint64(limits.MessageBytes) {
		return &violation{CloseMessageTooBig, "Message too big"}
	}
	return nil
}

func (d *decoder) readControl(chunk []byte) {
	part := d.control[d.controlLen : d.controlLen+copy(d.control[d.controlLen:], chunk)]
	unmask(part, d.mask, d.done)
	d.controlLen += len(part)
	d.done += uint64(len(part))
}

// readData keeps payload of the message. Memory is taken for bytes that have
// come, never for what a header announces.
func (d *decoder) readData(chunk []byte) *violation {
	if d.payload == nil {
		d.payload = newBuffer(len(chunk))
	}
	d.payload = d.payload.grow(len(chunk))
	start := len(d.payload.data)
	d.payload.data = append(d.payload.data, chunk...)
	part := d.payload.data[start:]
	unmask(part, d.mask, d.done)
	d.done += uint64(len(part))
	if d.message != opText {
		return nil
	}
	last := d.final && d.done == d.length
	if !d.text.write(part) || last && !d.text.complete() {
		return &violation{CloseInvalidPayload, "Text is not UTF-8"}
	}
	return nil
}

// endFrame fills in the event that the end of the frame makes.
func (d *decoder) endFrame(ev *event) {
	if isControl(d.op) {
		ev.op, ev.control = d.op, d.control[:d.controlLen]
		return
	}
	if !d.final {
		return
	}
	ev.op, ev.message = d.message, d.payload
	d.message, d.payload = 0, nil
}

package websocket

import (
	"encoding/binary"
	"unicode/utf8"
)

// maxReason is the room for a reason in a close frame, after the code.
const maxReason = maxControl - 2

// violation is why the engine ends a connection: the code and reason of the
// close frame that says so.
type violation struct {
	code   int
	reason string
}

func protocolError(reason string) *violation {
	return &violation{CloseProtocolError, reason}
}

// sendable reports whether a code may stand in a close frame: those of RFC 6455,
// section 7.4, and those registered with IANA since (1012 to 1014).
func sendable(code int) bool {
	switch {
	case code == 1004, code == CloseNoStatus, code == CloseAbnormal:
		return false
	case code >= 1000 && code <= 1014:
		return true
	}
	return code >= 3000 && code <= 4999
}

// parseClose reads the payload of a close frame.
func parseClose(payload []byte) (code int, reason string, bad *violation) {
	if len(payload) == 0 {
		return CloseNoStatus, "", nil
	}
	if len(payload) == 1 {
		return 0, "", protocolError("Close frame of one byte")
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !sendable(code) {
		return 0, "", protocolError("Invalid close code")
	}
	if !utf8.Valid(payload[2:]) {
		return 0, "", &violation{CloseInvalidPayload, "Close reason is not UTF-8"}
	}
	return code, string(payload[2:]), nil
}

// closePayload is the payload of a close frame; empty for a code that must not
// be sent, as CloseNoStatus.
func closePayload(code int, reason string) []byte {
	if !sendable(code) {
		return nil
	}
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), uint16(code))
	return append(payload, reason...)
}

// cutReason shortens a reason to what a close frame holds, between characters.
func cutReason(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	end := maxReason
	for end > 0 && !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end]
}

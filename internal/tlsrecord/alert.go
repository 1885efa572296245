package tlsrecord

import "fmt"

// Alert is one of TLS 1.3 (RFC 8446, section 6). As an error it is what the peer is to
// be told before the connection is closed.
type Alert uint8

// Alerts that a Layer sends.
const (
	AlertCloseNotify       Alert = 0
	AlertUnexpectedMessage Alert = 10
	AlertBadRecordMAC      Alert = 20
	AlertRecordOverflow    Alert = 22
	AlertIllegalParameter  Alert = 47
	AlertDecodeError       Alert = 50
	AlertProtocolVersion   Alert = 70

	alertUserCanceled Alert = 90
)

var alertTexts = map[Alert]string{
	AlertCloseNotify:       "close notify",
	AlertUnexpectedMessage: "unexpected message",
	AlertBadRecordMAC:      "bad record MAC",
	AlertRecordOverflow:    "record overflow",
	AlertIllegalParameter:  "illegal parameter",
	AlertDecodeError:       "error decoding message",
	AlertProtocolVersion:   "protocol version",
}

func (a Alert) String() string {
	if text, found := alertTexts[a]; found {
		return text
	}
	return fmt.Sprintf("alert %d", uint8(a))
}

func (a Alert) Error() string { return "tls: " + a.String() }

// RemoteAlert is an alert of the peer, with which it has ended the connection.
type RemoteAlert Alert

func (a RemoteAlert) Error() string { return "tls: the peer sent: " + Alert(a).String() }

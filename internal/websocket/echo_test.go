package websocket

import "testing"

func TestEcho(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{answer: func(c *Conn, op Opcode, payload []byte) { c.Send(op, payload) }}
		p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, nil)
		p.send(text("hello"))
		p.expect(opText, []byte("hello"))
		p.send(closeFrame(1000, "bye"))
		p.expect(opClose, closeBody(1000, "bye"))
		p.expectEnd()
		r.awaitClosed(t, 1000, "bye")
	})
}

// Package websocket is an RFC 6455 server engine for very many connections. It
// knows nothing of API Gateway.
//
// An Engine takes over sockets whose HTTP handshake is done (Adopt) and calls a
// Handler with whole messages. On Linux event loops drive the sockets (package
// eventloop), so that an idle connection costs neither a goroutine nor a buffer;
// elsewhere, and for connections that cannot be driven that way, a goroutine for each
// connection does.
//
// A message begins on the goroutine that has read it, by Handler.Message, and is in
// flight until whoever handles it calls Message.Done. One that had to wait begins on
// the loop of its connection, or in a goroutine where there is none.
//
// # TLS
//
// A connection with TLS is driven by an event loop if it comes as a *tls.Conn that is done
// with its handshake and is above a *netconn.Switch: Adopt then takes the socket, and bytes go
// two ways through a layer (tlsLayer):
//
//	socket ─► loop's read ─► tlsLayer.open ─► decode
//	socket ◄─ queue       ◄─ tlsLayer.seal ◄─ frames
//
// There are two layers:
//
//   - standardLayer is the tls.Conn itself, which the switch has read and write there instead
//     of the socket. The buffers that it keeps are taken from it while it is idle (recordBuffers).
//   - compactLayer is package tlsrecord, for TLS 1.3 where there is a *tlsrecord.Tap between the
//     tls.Conn and the switch. The tls.Conn is not used any more. The keys are given back while
//     the connection is idle (resting).
//
// The queue holds what goes over the wire, and counts that. A layer is called with Conn.mu
// held, and never waits: it keeps what is no whole record yet, and writes to the queue. What
// TLS had read ahead before the socket was taken is read at once, since no event tells of it.
// Any other connection with TLS has a goroutine.
//
// # The states of a connection
//
// A connection (Conn.state) only moves to the right:
//
//	          Close, Limits.Idle, Limits.Lifetime           the peer's close frame
//	       ┌──────────────────────────────────────► closing ────────┐
//	       │                                                        ▼
//	Adopt ─┴► open                                               draining ──► closed
//	       │                                                        ▲
//	       └──────────────────────────────────────► ending ─────────┘
//	          the peer's close frame, or a violation        all messages are answered,
//	                                                        or Options.AnswerTimeout is over
//
//	open      Messages go both ways.
//	closing   Our close frame is queued; frames are read, but messages are dropped.
//	ending    The peer has said its last; answers to messages from before may be sent.
//	draining  Both have said their last. What is queued is written, our side of the
//	          socket is shut, and the peer is waited for to hang up.
//	closed    The socket is released.
//
// Any state becomes closed at once by Abort, by an error of the socket, when
// Conn.deadline is over (Options.CloseTimeout), and when the peer takes nothing of
// what is queued for Options.WriteTimeout. Handler.Closed is called at the step to
// draining, or to closed where there was none.
//
// # The states of reading
//
// At most one goroutine reads and decodes for a connection at a time: the one
// that has claimed it. All that decides who, when and whether is in reading.go.
//
//	     claimReadingLocked          received, catchUp
//	  ┌───────────────────────► claimed ◄─────────────► decode
//	  │                            │
//	  │       releaseReading       │   releaseReading
//	quiet ◄────────────────────────┴──────────────────► stopped
//	  ▲                                                    │
//	  └────────────────────────────────────────────────────┘
//	                      stopEndedLocked
//
// The driver claims a quiet connection when there may be something to read, and has the
// claim for a turn: it waits for nothing meanwhile. A connection that a loop drives is
// claimed on that loop only. Handler.Message is called by the one who has the claim, but for a
// message that had waited: that comes before whatever was read behind it.
//
// An open connection is stopped, and nothing more is read from its socket, while
//
//   - a whole message waits (Conn.waiting) because Limits.InFlight, Options.InFlight,
//     the memory for messages in flight or its share of them is used up. It ends when the message is about to begin
//     (delivered);
//   - HoldGreediest has stopped it (Conn.held), until the next round or ReleaseHeld.
//
// It ends as well when the connection leaves the state open. Since a stop may begin and
// end while a goroutine has the claim, its end does one of two things:
//
//	            nobody has the claim            somebody has it
//	stop ends   driver.resumeLocked: the        Conn.resumeDue is set, and
//	            driver looks at the socket      releaseReading has the driver
//	            again, as after an event        look again
//
// Bytes that were read from the socket but not decoded, because of a stop or because
// the turn of the connection was over, are kept (Conn.undecoded) and decoded before
// anything else is read. No event of the kernel tells of them: driver.resumeLocked sees
// to them. A connection in the state ending, draining or closed keeps no input once the
// claim on it is released.
//
// # Locks
//
// Conn.mu guards a connection's state. Methods that end in Locked are called with the
// lock of their type held: Conn.mu for those of Conn and of drivers. What the goroutine
// with the claim reads and writes without a lock (Conn.decoder, undecoded, controlAhead)
// belongs to it from claimReadingLocked to releaseReading; who holds Conn.mu may touch it
// while nobody has the claim.
//
// Locks are taken in this order, and none may be held while waiting for a socket or
// calling a Handler: Engine.holding and budget.relief, then Conn.mu of one connection,
// then one of table.mu, wheel.mu, dispatcher.mu and resting.mu, then those of an event loop.
//
// # Memory
//
// What messages take is counted over all connections and bounded: budget says what
// counts and what is done past the bound.
package websocket

package dualport

import "time"

const (
	// answerPart is how much of an answer is written at a time.
	answerPart = 64 << 10
	// partTime is added to the time limit of an answer for each part that the
	// client has taken. So a large answer is cut off only if its client is
	// slower than that.
	partTime = time.Second
)

// States of Conn.answer.
const (
	unlimited int32 = iota // writes have no time limit
	awaited                // the next write begins an answer
	begun                  // an answer is being written, until Conn.answerEnd
)

// limitAnswers sets the time limit of each answer. It is called before anything
// is written.
func (c *Conn) limitAnswers(limit time.Duration) {
	if limit > 0 {
		c.answerTime, c.answerBase = limit, time.Now()
		c.answer.Store(awaited)
	}
}

// unlimit removes the time limit, when the connection is hijacked.
func (c *Conn) unlimit() { c.answer.Store(unlimited) }

// AwaitAnswer makes the time of an answer begin anew with the next write. It is
// for handlers that pass on an answer as it comes, so that time counts only
// while their client is slow.
func (c *Conn) AwaitAnswer() { c.answer.CompareAndSwap(begun, awaited) }

// writeRaw writes below TLS, a part at a time, each with the deadline of its
// answer. It returns an error if the client does not take the answer in time.
func (c *Conn) writeRaw(p []byte) (n int, err error) {
	for {
		if c.answer.Load() == unlimited {
			m, err := c.raw.Write(p[n:])
			return n + m, err
		}
		if c.answer.CompareAndSwap(awaited, begun) {
			c.answerEnd.Store(int64(time.Since(c.answerBase) + c.answerTime))
		}
		if err := c.raw.SetWriteDeadline(c.answerBase.Add(time.Duration(c.answerEnd.Load()))); err != nil {
			return n, err
		}
		m, err := c.raw.Write(p[n:min(len(p), n+answerPart)])
		c.answerEnd.Add(int64(partTime) * int64(m) / answerPart)
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

package dualport

import "time"

const (
	// answerPart is how much of an answer is written at a time.
	answerPart = 64 << 10
	// partTime is what each part that a client took adds to the time of the
	// answer: a large one is cut only where its client is slower than this.
	partTime = time.Second
)

// States of Conn.answer.
const (
	unlimited int32 = iota // what is written has no limit of time
	awaited                // the next write begins an answer
	begun                  // an answer is being written, until Conn.answerEnd
)

// limitAnswers gives each answer its time from now on. It is called before
// anything is written.
func (c *Conn) limitAnswers(limit time.Duration) {
	if limit > 0 {
		c.answerTime, c.answerBase = limit, time.Now()
		c.answer.Store(awaited)
	}
}

// unlimit ends that: the connection is somebody else's.
func (c *Conn) unlimit() { c.answer.Store(unlimited) }

// AwaitAnswer gives what is written next the whole time of an answer, whatever
// was written before. It is for handlers that pass on an answer as it comes to
// them, so that only their client's slowness counts.
func (c *Conn) AwaitAnswer() { c.answer.CompareAndSwap(begun, awaited) }

// writeRaw writes below TLS, a part at a time, each with the deadline of its
// answer. A client that does not take the answer in time fails the write.
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

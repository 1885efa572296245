package connections

import (
	"sync"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/forwarded"
)

// logged is a call as access logs have it: an event of a connection that is the caller's
// (section K.1).
type logged struct {
	event      event.Event
	connection event.Connection
	endpoint   event.Endpoint
	client     event.Client
	identity   [5]event.Parameter
}

var loggedPool = sync.Pool{New: func() any { return new(logged) }}

// log writes the line of a call that was answered.
func (c *call) log(stage Stage) {
	l := loggedPool.Get().(*logged)
	l.endpoint = event.Endpoint{APIID: stage.APIID, Stage: stage.Name, DomainName: stage.DomainName}
	l.connection = event.Connection{
		ID: c.record.ConnectionID, Endpoint: &l.endpoint, SourceIP: forwarded.Of(c.r).Address, UserAgent: c.r.UserAgent(),
	}
	if id := c.signer; id != nil {
		l.identity = [...]event.Parameter{
			{Name: "accountId", Value: id.AccountID}, {Name: "caller", Value: id.UserID}, {Name: "user", Value: id.UserID},
			{Name: "userArn", Value: id.ARN}, {Name: "accessKey", Value: id.AccessKeyID},
		}
		l.client.Identity = l.identity[:]
		l.connection.Client = &l.client
	}
	l.event = event.NewCall(&l.connection, c.record.RequestID, c.extendedID, c.record.Time)
	l.event.RouteKey, l.event.Status = c.record.RouteKey, c.record.Status
	stage.AccessLog.Write(&l.event)
	*l = logged{}
	loggedPool.Put(l)
}

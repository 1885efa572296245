package store

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The layout of a key-value bucket of NATS: its stream, its subjects, and the
// header of the message that marks a removal.
const (
	operationHeader = "KV-Operation"
	operationDelete = "DEL"
)

func streamName(bucket string) string { return "KV_" + bucket }

func subjectOf(bucket, key string) string { return "$KV." + bucket + "." + key }

func (n *NATS) subject(key string) string { return subjectOf(n.options.Bucket, key) }

// filter returns the subjects below a prefix, as NATS writes them.
func (n *NATS) filter(prefix string) string {
	if prefix == "" {
		return n.subject(">")
	}
	return n.subject(prefix + ".>")
}

// openBucket returns the bucket, and makes it if there is none. It tries again
// until ctx ends where servers do not answer.
func openBucket(ctx context.Context, js jetstream.JetStream, options Options) (jetstream.KeyValue, error) {
	for {
		err := ensureStream(ctx, js, options)
		if err == nil {
			return js.KeyValue(ctx, options.Bucket)
		}
		if isFinal(err) {
			return nil, err
		}
		options.Log.Debug("The NATS servers are not ready", "error", err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ensureStream makes the bucket's stream if there is none, else changes its
// replicas to those of the options.
func ensureStream(ctx context.Context, js jetstream.JetStream, options Options) error {
	attempt, cancel := context.WithTimeout(ctx, min(options.Timeout, defaultTimeout)) // a request that a server loses while it starts is never answered
	defer cancel()
	stream, err := js.Stream(attempt, streamName(options.Bucket))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = js.CreateStream(attempt, streamConfig(options))
		return err
	}
	if err != nil {
		return err
	}
	config := stream.CachedInfo().Config
	outdated := config.MaxAge != 0 // set by an earlier version
	config.MaxAge = 0
	if options.Replicas != 0 && options.Replicas != config.Replicas {
		outdated = true
		config.Replicas = options.Replicas
		config.AllowDirect = options.Replicas == 1
	}
	if outdated {
		_, err = js.UpdateStream(attempt, config)
	}
	return err
}

func streamConfig(options Options) jetstream.StreamConfig {
	replicas := max(1, options.Replicas)
	return jetstream.StreamConfig{
		Name:              streamName(options.Bucket),
		Description:       "The configuration of Stagedoor",
		Subjects:          []string{subjectOf(options.Bucket, ">")},
		Storage:           jetstream.FileStorage,
		Replicas:          replicas,
		MaxMsgsPerSubject: 1,
		MaxMsgs:           -1,
		MaxBytes:          -1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		MaxAge:            0, // the servers measure it by their clocks, which may be set
		Discard:           jetstream.DiscardNew,
		AllowRollup:       true,
		DenyDelete:        true,
		AllowMsgTTL:       true, // for the marks of removals
		// Of several replicas any may answer a direct request, also one that has
		// not seen the last write.
		AllowDirect: replicas == 1,
	}
}

// isFinal reports whether an error is an answer of the servers that would be
// the same the next time.
func isFinal(err error) bool {
	var answer *jetstream.APIError
	return errors.As(err, &answer) && answer.Code >= 400 && answer.Code < 500
}

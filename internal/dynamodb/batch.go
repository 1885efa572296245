package dynamodb

import (
	"maps"
	"slices"
)

// Limits of a batch.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchBytes = 16 << 20 // of the items in one answer
)

type batchKeys struct {
	Keys                     []item
	AttributesToGet          []string          `json:",omitempty"`
	ProjectionExpression     *string           `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
	ConsistentRead           bool              `json:",omitempty"`
}

func (s *Server) batchGetItem(input *struct{ RequestItems map[string]batchKeys }) (any, error) {
	count := 0
	for _, keys := range input.RequestItems {
		count += len(keys.Keys)
	}
	switch {
	case count == 0:
		return nil, validation("The batch get request list must not be empty")
	case count > maxBatchGet:
		return nil, validation("Too many items requested for the BatchGetItem call")
	}
	found := map[string][]item{}
	unprocessed := map[string]batchKeys{}
	read := 0
	for _, name := range slices.Sorted(maps.Keys(input.RequestItems)) {
		keys := input.RequestItems[name]
		if err := s.checkDistinct(name, keys.Keys); err != nil {
			return nil, err
		}
		found[name] = []item{}
		for n, key := range keys.Keys {
			if read >= maxBatchBytes {
				keys.Keys = keys.Keys[n:]
				unprocessed[name] = keys
				break
			}
			get := getInput{name, key, keys.AttributesToGet, keys.ProjectionExpression, keys.ExpressionAttributeNames}
			i, err := get.read(s)
			if err != nil {
				return nil, err
			}
			if i != nil {
				read += i.size()
				found[name] = append(found[name], i)
			}
		}
	}
	return map[string]any{"Responses": found, "UnprocessedKeys": unprocessed}, nil
}

// checkDistinct returns an error if two keys are those of the same item.
func (s *Server) checkDistinct(name string, keys []item) error {
	t, err := s.table(name)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := t.checkKey(key); err != nil {
			return err
		}
	}
	sorted := slices.SortedFunc(slices.Values(keys), t.primary.compare)
	if len(slices.CompactFunc(sorted, func(a, b item) bool { return t.primary.compare(a, b) == 0 })) < len(keys) {
		return validation("Provided list of item keys contains duplicates")
	}
	return nil
}

type writeRequest struct {
	PutRequest    *struct{ Item item }
	DeleteRequest *struct{ Key item }
}

// batchWriteItem checks every request before it makes any.
func (s *Server) batchWriteItem(input *struct{ RequestItems map[string][]writeRequest }) (any, error) {
	count := 0
	for _, requests := range input.RequestItems {
		count += len(requests)
	}
	switch {
	case count == 0:
		return nil, validation("The batch write request list for a table cannot be null or empty")
	case count > maxBatchWrite:
		return nil, validation("Too many items requested for the BatchWriteItem call")
	}
	var writes []*write
	for name, requests := range input.RequestItems {
		var keys []item
		for _, request := range requests {
			w, err := request.write(s, name)
			if err != nil {
				return nil, err
			}
			writes = append(writes, w)
			keys = append(keys, w.key)
		}
		if err := s.checkDistinct(name, keys); err != nil {
			return nil, err
		}
	}
	for _, w := range writes {
		if err := w.prepare(); err != nil {
			return nil, err
		}
	}
	for _, w := range writes {
		w.commit()
	}
	return map[string]any{"UnprocessedItems": struct{}{}}, nil
}

func (r writeRequest) write(s *Server, table string) (*write, error) {
	to := conditional{TableName: table}
	switch {
	case (r.PutRequest == nil) == (r.DeleteRequest == nil):
		return nil, validation("Supplied WriteRequest must contain exactly one of PutRequest and DeleteRequest")
	case r.PutRequest != nil:
		return (&putInput{to, r.PutRequest.Item}).write(s)
	}
	return (&deleteInput{to, r.DeleteRequest.Key}).write(s)
}

package dynamodb

import (
	"hash/fnv"
	"slices"
)

// maxPage is how many bytes of items Query and Scan read for one answer.
const maxPage = 1 << 20

// searchInput is the part of the input that Query and Scan share.
type searchInput struct {
	legacyParameters
	TableName                 string
	IndexName                 *string
	Select                    string
	AttributesToGet           []string
	ProjectionExpression      *string
	FilterExpression          *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]value
	ExclusiveStartKey         item
	Limit                     *int
	ConsistentRead            bool
}

// search is a Query or a Scan that is ready to run.
type search struct {
	index      *index
	filter     condition // nil: all
	projection *projection
	countOnly  bool
	limit      int // 0: none
	start      item
	backward   bool
	matches    func(item) bool // selects the candidates that are read
	candidates []item          // in the index's order
}

// begin makes a search from the shared part of an input. The caller sets
// matches, candidates and backward.
func (input *searchInput) begin(s *Server) (*search, *expressions, error) {
	if err := input.refuse(); err != nil {
		return nil, nil, err
	}
	if err := checkEnum("select", input.Select, "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"); err != nil {
		return nil, nil, err
	}
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, nil, err
	}
	run := &search{start: input.ExclusiveStartKey, countOnly: input.Select == "COUNT"}
	if run.index, err = t.index(input.IndexName); err != nil {
		return nil, nil, err
	}
	global := input.IndexName != nil && !run.index.local
	switch {
	case global && input.ConsistentRead:
		return nil, nil, validation("Consistent reads are not supported on global secondary indexes")
	case global && input.Select == "ALL_ATTRIBUTES" && run.index.projected != nil:
		return nil, nil, validation("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", run.index.name)
	case input.Limit != nil && *input.Limit < 1:
		return nil, nil, validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *input.Limit)
	case input.Limit != nil:
		run.limit = *input.Limit
	}
	if run.start != nil {
		if err := run.index.checkPosition(run.start); err != nil {
			return nil, nil, err
		}
	}
	e := newExpressions(input.ExpressionAttributeNames, input.ExpressionAttributeValues)
	if run.filter, err = e.condition("FilterExpression", input.FilterExpression); err != nil {
		return nil, nil, err
	}
	run.projection, err = e.projection(input.ProjectionExpression, input.AttributesToGet)
	return run, e, err
}

type searchResult struct {
	Count            int
	ScannedCount     int
	LastEvaluatedKey item `json:",omitempty"`
}

// run reads one page.
func (s *search) run() any {
	found := []item{}
	result := &searchResult{}
	read := 0
	for _, i := range s.remaining() {
		if !s.matches(i) {
			continue
		}
		result.ScannedCount++
		read += i.size()
		i = s.visible(i)
		if s.filter == nil || s.filter.holds(i) {
			result.Count++
			found = append(found, s.projection.of(i))
		}
		if result.ScannedCount == s.limit || read >= maxPage {
			result.LastEvaluatedKey = s.index.keyOf(i)
			break
		}
	}
	if s.countOnly {
		return result
	}
	return struct {
		Items []item // in the answer even when it is empty
		*searchResult
	}{found, result}
}

// visible returns the part of an item that a search of the index sees: of a
// global index the attributes that it has, else the whole item.
func (s *search) visible(i item) item {
	if s.index.local {
		return i
	}
	return s.index.projected.of(i)
}

// remaining returns the candidates after the start key, in the search's order.
func (s *search) remaining() []item {
	rest := s.candidates
	if s.start != nil {
		at, found := slices.BinarySearchFunc(rest, s.start, s.index.compare)
		if s.backward {
			rest = rest[:at]
		} else {
			if found {
				at++
			}
			rest = rest[at:]
		}
	}
	if s.backward {
		rest = slices.Clone(rest)
		slices.Reverse(rest)
	}
	return rest
}

func (s *Server) query(input *struct {
	searchInput
	KeyConditionExpression *string
	ScanIndexForward       *bool
}) (any, error) {
	run, e, err := input.begin(s)
	if err != nil {
		return nil, err
	}
	if input.KeyConditionExpression == nil {
		return nil, validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	condition, err := parse(e, "KeyConditionExpression", *input.KeyConditionExpression, (*parser).condition)
	if err != nil {
		return nil, err
	}
	if err := e.finish(); err != nil {
		return nil, err
	}
	keys, err := keyConditions(condition, run.index)
	if err != nil {
		return nil, err
	}
	if run.filter != nil && mentions(run.filter, run.index.keys) {
		return nil, validation("Filter Expression can only contain non-primary key attributes")
	}
	run.candidates = run.index.partition(keys.hash)
	run.matches = func(i item) bool { return keys.sort == nil || keys.sort.holds(i) }
	run.backward = input.ScanIndexForward != nil && !*input.ScanIndexForward
	return run.run(), nil
}

func (s *Server) scan(input *struct {
	searchInput
	Segment, TotalSegments *int
}) (any, error) {
	run, e, err := input.begin(s)
	if err != nil {
		return nil, err
	}
	if err := e.finish(); err != nil {
		return nil, err
	}
	run.candidates = run.index.entries
	run.matches = func(item) bool { return true }
	if input.Segment == nil && input.TotalSegments == nil {
		return run.run(), nil
	}
	if input.Segment == nil || input.TotalSegments == nil || *input.TotalSegments < 1 || *input.Segment < 0 || *input.Segment >= *input.TotalSegments {
		return nil, validation("The Segment parameter is required with TotalSegments, is zero-based and must be less than TotalSegments")
	}
	run.matches = func(i item) bool {
		sum := fnv.New32a()
		sum.Write([]byte(i[run.index.keys[0].name].setKey()))
		return int(sum.Sum32()%uint32(*input.TotalSegments)) == *input.Segment
	}
	return run.run(), nil
}

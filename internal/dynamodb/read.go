package dynamodb

// getInput is GetItem's input, and one read of a batch or transaction.
type getInput struct {
	TableName                string
	Key                      item
	AttributesToGet          []string
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
}

func (input *getInput) read(s *Server) (item, error) {
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, err
	}
	e := newExpressions(input.ExpressionAttributeNames, nil)
	projection, err := e.projection(input.ProjectionExpression, input.AttributesToGet)
	if err != nil {
		return nil, err
	}
	if err := e.finish(); err != nil {
		return nil, err
	}
	if err := t.checkKey(input.Key); err != nil {
		return nil, err
	}
	return projection.of(t.get(input.Key)), nil
}

// itemResult is an item in an answer; without member where there is none.
type itemResult struct {
	Item *item `json:",omitempty"`
}

func newItemResult(i item) itemResult {
	if i == nil {
		return itemResult{}
	}
	return itemResult{&i}
}

func (s *Server) getItem(input *getInput) (any, error) {
	i, err := input.read(s)
	return newItemResult(i), err
}

package mistake

import "testing"

func TestError(t *testing.T) {
	t.Parallel()
	list := List{
		{File: "template.yaml", Line: 3, Where: "Api", Message: "the property Name is missing"},
		{File: "stagedoor.yaml", Line: 1, Message: "not YAML"},
		{File: "STAGEDOOR_LISTEN", Message: "is empty"},
		{File: "stagedoor.yaml", Where: "nats.tokenFile", Message: "cannot be used together with user"},
	}
	const want = `template.yaml:3: Api: the property Name is missing
stagedoor.yaml:1: not YAML
STAGEDOOR_LISTEN: is empty
stagedoor.yaml: nats.tokenFile: cannot be used together with user`
	if got := list.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

package iampolicy

import (
	"errors"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Values is a Context: its keys are in lower case.
type Values map[string][]string

// Values implements Context.
func (v Values) Values(key string) []string { return v[key] }

// block is a block of testdata/evaluation.txt.
type block struct {
	title     string
	documents []string
	requests  []string
}

func blocks(t testing.TB) []block {
	t.Helper()
	file, err := os.ReadFile("testdata/evaluation.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for section := range strings.SplitSeq(string(file), "\n== ") {
		if strings.HasPrefix(section, "#") {
			continue
		}
		lines := strings.Split(strings.TrimSpace(section), "\n")
		b := block{title: lines[0]}
		for _, line := range lines[1:] {
			if document, ok := strings.CutPrefix(line, "policy "); ok {
				b.documents = append(b.documents, document)
			} else if statement, ok := strings.CutPrefix(line, "statement "); ok {
				b.documents = append(b.documents, `{"Version":"2012-10-17","Statement":`+statement+`}`)
			} else {
				b.requests = append(b.requests, line)
			}
		}
		all = append(all, b)
	}
	return all
}

func (b *block) parse(t testing.TB) []*Document {
	t.Helper()
	kind := Identity
	if strings.Contains(b.requests[0], " @") {
		kind = Resource
	}
	var documents []*Document
	for _, text := range b.documents {
		document, err := Parse([]byte(text), kind)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		documents = append(documents, document)
	}
	return documents
}

// parseRequest reads what follows the outcome in a line.
func parseRequest(fields []string) *Request {
	values := Values{}
	r := &Request{Action: fields[0], Resource: fields[1], Context: values}
	for _, field := range fields[2:] {
		if principal, ok := strings.CutPrefix(field, "@"); ok {
			rest, account, _ := strings.Cut(principal, "@")
			r.Principal.Kind, r.Principal.ID, _ = strings.Cut(rest, ":")
			r.Principal.Account = account
			continue
		}
		key, value, _ := strings.Cut(field, "=")
		values[key] = append(values[key], value)
	}
	return r
}

func TestEvaluation(t *testing.T) {
	t.Parallel()
	outcomes := map[string]Effect{"allow": Allow, "deny": ExplicitDeny, "none": ImplicitDeny}
	count := 0
	for _, b := range blocks(t) {
		count += len(b.requests)
		t.Run(b.title, func(t *testing.T) {
			t.Parallel()
			documents := b.parse(t)
			for _, line := range b.requests {
				fields := strings.Fields(line)
				want, known := outcomes[fields[0]]
				if !known {
					t.Fatalf("%s is no outcome", fields[0])
				}
				if got := Evaluate(documents, parseRequest(fields[1:])); got.Effect != want {
					t.Errorf("%s: %v by %+v", line, got.Effect, got)
				}
			}
		})
	}
	if count < 150 {
		t.Errorf("there are %d cases only", count)
	}
	t.Logf("%d cases", count)
}

// TestDecisionNamesItsStatement: who explains a decision needs more than its
// effect.
func TestDecisionNamesItsStatement(t *testing.T) {
	t.Parallel()
	var documents []*Document
	for _, text := range []string{
		`{"Version":"2012-10-17","Id":"first","Statement":[{"Effect":"Allow","Action":"a:*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Id":"second","Statement":[{"Sid":"Reads","Effect":"Allow","Action":"a:read","Resource":"*"},{"Sid":"Never","Effect":"Deny","Action":"a:delete","Resource":"*"}]}`,
	} {
		document, err := Parse([]byte(text), Identity)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
	if documents[1].ID() != "second" {
		t.Errorf("the id is %q", documents[1].ID())
	}
	for action, want := range map[string]Decision{
		"a:read":   {Allow, 0, 0, ""},
		"a:delete": {ExplicitDeny, 1, 1, "Never"},
		"b:read":   {ImplicitDeny, -1, -1, ""},
	} {
		if got := Evaluate(documents, &Request{Action: action, Resource: "r"}); got != want {
			t.Errorf("%s: %+v, want %+v", action, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	statement := func(text string) string { return `{"Version":"2012-10-17","Statement":[` + text + `]}` }
	condition := func(text string) string {
		return statement(`{"Effect":"Allow","Action":"a:x","Resource":"*","Condition":` + text + `}`)
	}
	tests := []struct{ name, document, want string }{
		{"nothing", ``, "it is not JSON: EOF"},
		{"no JSON", `{`, "it is not JSON"},
		{"an array", `[]`, "it must be an object"},
		{"null", `null`, "it must be an object"},
		{"more than one", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]} {}`, "there is more after the end of the document"},
		{"an unknown element", `{"Statements":[]}`, `there is no element "Statements"; it may have Version, Id, Statement`},
		{"an element of another case", `{"statement":[]}`, `there is no element "statement"`},
		{"an element twice", `{"Version":"2012-10-17","Version":"2012-10-17"}`, `"Version" is there twice`},
		{"a version", `{"Version":"2015-01-01","Statement":[]}`, `Version: "2015-01-01" is neither 2012-10-17 nor 2008-10-17`},
		{"a version that is none", `{"Version":20121017,"Statement":[]}`, `Version: it must be a string`},
		{"an id that is none", `{"Id":1,"Statement":[]}`, `Id: it must be a string`},
		{"no statement", `{"Version":"2012-10-17"}`, "it has no Statement"},
		{"no statements", `{"Version":"2012-10-17","Statement":[]}`, "Statement: there is none"},
		{"a statement that is none", statement(`"Allow"`), "Statement[0]: it must be an object"},
		{"no effect", statement(`{"Action":"*","Resource":"*"}`), "Statement[0]: it has no Effect"},
		{"an effect of another case", statement(`{"Effect":"allow","Action":"*","Resource":"*"}`), `Statement[0].Effect: "allow" is neither Allow nor Deny`},
		{"an effect that is none", statement(`{"Effect":true,"Action":"*","Resource":"*"}`), `Statement[0].Effect: it must be a string`},
		{"no action", statement(`{"Effect":"Allow","Resource":"*"}`), "Statement[0]: it must have either Action or NotAction"},
		{"Action and NotAction", statement(`{"Effect":"Allow","Action":"*","NotAction":"a:x","Resource":"*"}`), "Statement[0]: it must have either Action or NotAction"},
		{"an action without a service", statement(`{"Effect":"Allow","Action":"Invoke","Resource":"*"}`), `Statement[0].Action: "Invoke" is malformed`},
		{"no actions", statement(`{"Effect":"Allow","Action":[],"Resource":"*"}`), `Statement[0].Action: the list is empty`},
		{"a list within a list", statement(`{"Effect":"Allow","Action":[["a:x"]],"Resource":"*"}`), `Statement[0].Action: it must be a string or a list of strings`},
		{"no resource", statement(`{"Effect":"Allow","Action":"*"}`), "Statement[0]: it must have either Resource or NotResource"},
		{"a resource that is no ARN", statement(`{"Effect":"Allow","Action":"*","NotResource":"bucket"}`), `Statement[0].NotResource: "bucket" is malformed`},
		{"a resource that is a number", statement(`{"Effect":"Allow","Action":"*","Resource":1}`), `Statement[0].Resource: it must be a string or a list of strings`},
		{"an open variable", statement(`{"Effect":"Allow","Action":"*","Resource":"arn:${aws:username"}`), `Statement[0].Resource: the policy variable in "arn:${aws:username" has no closing brace`},
		{"a variable that is none", statement(`{"Effect":"Allow","Action":"*","Resource":"arn:${}"}`), `Statement[0].Resource: "${}" is not a policy variable`},
		{"a default without quotes", statement(`{"Effect":"Allow","Action":"*","Resource":"arn:${a:b, c}"}`), `Statement[0].Resource: the default of "${a:b, c}" must be in single quotes`},
		{"the same Sid", statement(`{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}`), `Statement[1].Sid: "a" is another statement's too`},
		{"a Sid that is none", statement(`{"Sid":[],"Effect":"Allow","Action":"*","Resource":"*"}`), `Statement[0].Sid: it must be a string`},
		{"a principal", statement(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`), `Statement[0]: a policy of an identity has no Principal`},
		{"a condition that is none", condition(`[]`), `Statement[0].Condition: it must be an object`},
		{"an unknown operator", condition(`{"StringMatches":{"a:k":"x"}}`), `Statement[0].Condition.StringMatches: there is no condition operator "StringMatches"`},
		{"Null with a suffix", condition(`{"NullIfExists":{"a:k":"true"}}`), `there is no condition operator "NullIfExists"`},
		{"an operator that is none", condition(`{"StringEquals":"x"}`), `Statement[0].Condition.StringEquals: it must be an object`},
		{"a key that is none", condition(`{"StringEquals":{"key":"x"}}`), `Statement[0].Condition.StringEquals: "key" is not a condition key`},
		{"no values", condition(`{"StringEquals":{"a:k":[]}}`), `Statement[0].Condition.StringEquals: a:k: the list is empty`},
		{"a value that is none", condition(`{"StringEquals":{"a:k":{}}}`), `Statement[0].Condition.StringEquals: a:k: it must be a value or a list of values`},
		{"null as a value", condition(`{"StringEquals":{"a:k":null}}`), `Statement[0].Condition.StringEquals: a:k: it must be a value or a list of values`},
		{"no number", condition(`{"NumericEquals":{"a:k":"ten"}}`), `a:k: "ten" is not a number`},
		{"a hexadecimal number", condition(`{"NumericEquals":{"a:k":"0x10"}}`), `a:k: "0x10" is not a number`},
		{"no date", condition(`{"DateEquals":{"a:k":"soon"}}`), `a:k: "soon" is not a date`},
		{"no truth", condition(`{"Bool":{"a:k":1}}`), `a:k: "1" is neither true nor false`},
		{"no base64", condition(`{"BinaryEquals":{"a:k":"%"}}`), `a:k: "%" is not in base64`},
		{"no address", condition(`{"IpAddress":{"a:k":"10.0.0.0/33"}}`), `a:k: "10.0.0.0/33" is neither an IP address nor a range of them`},
		{"no ARN", condition(`{"ArnLike":{"a:k":"arn:aws:sts:*"}}`), `a:k: "arn:aws:sts:*" is not an ARN`},
		{"too deep", `{"Statement":[[[[[[[[[[]]]]]]]]]]}`, "its values are nested too deeply"},
		{"not UTF-8", "{\"Id\":\"\xff\"}", "it is not UTF-8"},
		{"too large", `{"Id":"` + strings.Repeat("x", MaxDocument) + `"}`, "it is longer than 20480 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(test.document), Identity)
			wantMistake(t, err, test.want)
		})
	}
}

func TestMistakesOfPrincipals(t *testing.T) {
	t.Parallel()
	for principal, want := range map[string]string{
		``:                                     `Statement[0]: it must have either Principal or NotPrincipal`,
		`"Principal":"ann"`:                    `Statement[0].Principal: "ann" is neither "*" nor an object`,
		`"Principal":{}`:                       `Statement[0].Principal: it is empty`,
		`"Principal":{"User":"x"}`:             `Statement[0].Principal: there is no element "User"; it may have AWS, Service, Federated, CanonicalUser`,
		`"Principal":{"AWS":[]}`:               `Statement[0].Principal.AWS: the list is empty`,
		`"Principal":{"AWS":"arn:aws:iam::*"}`: `Statement[0].Principal.AWS: "arn:aws:iam::*" has a wildcard`,
		`"Principal":{"AWS":"ann"}`:            `Statement[0].Principal.AWS: "ann" is neither an account nor an ARN`,
		`"NotPrincipal":"*"`:                   `Statement[0].NotPrincipal: it can only deny`,
	} {
		document := `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"`
		if principal != "" {
			document += "," + principal
		}
		_, err := Parse([]byte(document+`}]}`), Resource)
		wantMistake(t, err, want)
	}
}

func wantMistake(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

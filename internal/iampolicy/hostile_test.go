package iampolicy

import (
	"strings"
	"testing"
)

// must parses documents of identities.
func must(t testing.TB, texts ...string) []*Document {
	t.Helper()
	var documents []*Document
	for _, text := range texts {
		document, err := Parse([]byte(text), Identity)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		documents = append(documents, document)
	}
	return documents
}

const allowEverything = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// TestLongSubjects: what is too long to compare is never allowed, not even
// past a statement that denies.
func TestLongSubjects(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxSubject+1)
	documents := must(t, allowEverything,
		`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":"*bot*"}}}}`)
	for name, test := range map[string]struct {
		request Request
		want    Effect
	}{
		"action":   {Request{Action: "a:" + long, Resource: "r"}, ImplicitDeny},
		"resource": {Request{Action: "a:x", Resource: long}, ImplicitDeny},
		"value":    {Request{Action: "a:x", Resource: "r", Context: Values{"aws:useragent": {long}}}, ExplicitDeny},
		"short":    {Request{Action: "a:x", Resource: "r", Context: Values{"aws:useragent": {long[1:]}}}, Allow},
	} {
		if got := Evaluate(documents, &test.request); got.Effect != test.want {
			t.Errorf("%s: %v, want %v", name, got.Effect, test.want)
		}
	}
}

// TestBytesOfWildcards: the bytes that stand for wildcards within a pattern
// are no wildcards when they come from outside.
func TestBytesOfWildcards(t *testing.T) {
	t.Parallel()
	documents := must(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:${aws:username}/x"}}`)
	for _, name := range []string{"\xff", "\xfe", "a\xff"} {
		for _, resource := range []string{"arn:any/x", "arn:a/x", "arn:" + name + "/x"} {
			r := &Request{Action: "a:x", Resource: resource, Context: Values{"aws:username": {name}}}
			if got := Evaluate(documents, r); got.Effect != ImplicitDeny {
				t.Errorf("%q on %q: %v", name, resource, got.Effect)
			}
		}
	}
	if got := Evaluate(must(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:\u00ff"}}`), &Request{Action: "a:x", Resource: "arn:\xff"}); got.Effect != ImplicitDeny {
		t.Errorf("a byte passes for a character: %v", got.Effect)
	}
}

// TestManyWildcards: a pattern made to be slow is not. There is no clock here:
// an exponential matcher would not come to an end.
func TestManyWildcards(t *testing.T) {
	t.Parallel()
	pattern := "arn:" + strings.Repeat("a*", 4000) + "b"
	documents := must(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"`+pattern+`"}}`)
	if got := Evaluate(documents, &Request{Action: "a:x", Resource: "arn:" + strings.Repeat("a", MaxSubject-4)}); got.Effect != ImplicitDeny {
		t.Errorf("%v", got.Effect)
	}
	documents = must(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:`+strings.Repeat("*", 10_000)+`b"}}`)
	if got := Evaluate(documents, &Request{Action: "a:x", Resource: "arn:b"}); got.Effect != Allow {
		t.Errorf("%v", got.Effect)
	}
}

// TestNoContext: a request without any condition keys.
func TestNoContext(t *testing.T) {
	t.Parallel()
	documents := must(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:x","Resource":"*","Condition":{"StringEquals":{"a:k":"x"}}},`+
		`{"Effect":"Allow","Action":"a:y","Resource":"arn:${a:k}"}]}`)
	for _, action := range []string{"a:x", "a:y"} {
		if got := Evaluate(documents, &Request{Action: action, Resource: "arn:"}); got.Effect != ImplicitDeny {
			t.Errorf("%s: %v", action, got.Effect)
		}
	}
}

// TestAllocations: what a request without policy variables costs.
func TestAllocations(t *testing.T) { // not parallel: it counts allocations
	documents := must(t, usual)
	r := usualRequest()
	if count := testing.AllocsPerRun(100, func() { Evaluate(documents, r) }); count > 2 { // the action in lower case, and the evaluation
		t.Errorf("%v allocations", count)
	}
}

const usual = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":["execute-api:Invoke","execute-api:ManageConnections"],"Resource":"arn:aws:execute-api:*:*:*/prod/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
	{"Effect":"Deny","Action":"execute-api:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`

func usualRequest() *Request {
	return &Request{
		Action:   "execute-api:ManageConnections",
		Resource: "arn:aws:execute-api:us-east-1:111122223333:abc/prod/POST/@connections/{connectionId}",
		Context:  Values{"aws:sourceip": {"10.1.2.3"}, "aws:securetransport": {"true"}},
	}
}

func BenchmarkEvaluate(b *testing.B) {
	documents := must(b, usual)
	r := usualRequest()
	b.ReportAllocs()
	for b.Loop() {
		if Evaluate(documents, r).Effect != Allow {
			b.Fatal("not allowed")
		}
	}
}

// FuzzParse: no document breaks the parser, or the evaluation after it.
// Whatever it says, a document that denies everything has the last word.
func FuzzParse(f *testing.F) {
	for _, b := range blocks(f) {
		for _, document := range b.documents {
			f.Add(document, b.requests[0])
		}
	}
	deny := must(f, `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)
	f.Fuzz(func(t *testing.T, text, request string) {
		fields := strings.Fields(request)
		if len(fields) < 3 {
			return
		}
		r := parseRequest(fields[1:])
		for _, kind := range []Kind{Identity, Resource} {
			document, err := Parse([]byte(text), kind)
			if err != nil {
				continue
			}
			documents := []*Document{document}
			first := Evaluate(documents, r)
			if again := Evaluate(documents, r); again != first {
				t.Errorf("%+v, then %+v", first, again)
			}
			if (first.Effect == ImplicitDeny) != (first.Document < 0) {
				t.Errorf("%+v", first)
			}
			if got := Evaluate(append(documents, deny...), r); got.Effect == Allow {
				t.Errorf("allowed, although everything is denied: %+v", got)
			}
		}
	})
}

// FuzzGlob: a pattern of wildcards agrees with a plain definition of them.
func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{{"a*b?c", "axxbyc"}, {"*", ""}, {"?", "é"}, {"**a", "aa"}, {"*?*", "x"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, subject string) {
		if len(pattern) > 12 || len(subject) > 12 {
			return // the definition takes exponential time
		}
		compiled, err := syntax{wildcards: true}.compile(strings.ToValidUTF8(pattern, ""))
		if err != nil {
			t.Fatal(err)
		}
		subject = strings.ToValidUTF8(subject, "")
		if got, want := glob(compiled.parts[0].text, subject), defined([]rune(strings.ToValidUTF8(pattern, "")), []rune(subject)); got != want {
			t.Errorf("%q against %q: %t, want %t", subject, pattern, got, want)
		}
	})
}

// defined is what wildcards mean.
func defined(pattern, subject []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(subject) == 0
	case pattern[0] == '*':
		return defined(pattern[1:], subject) || len(subject) > 0 && defined(pattern, subject[1:])
	case len(subject) == 0:
		return false
	}
	return (pattern[0] == '?' || pattern[0] == subject[0]) && defined(pattern[1:], subject[1:])
}

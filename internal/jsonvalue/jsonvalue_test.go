package jsonvalue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func parse(t testing.TB, text string) any {
	t.Helper()
	v, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

func TestPrint(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, json, java, collection string }{
		{`null`, `null`, `null`, `null`},
		{` true `, `true`, `true`, `true`},
		{`-0.10e+2`, `-0.10e+2`, `-0.10e+2`, `-0.10e+2`},
		{`12345678901234567890`, `12345678901234567890`, `12345678901234567890`, `12345678901234567890`},
		{`"a\"\\\/\b\f\n\r\t\u0001é\u00e9\ud83d\ude00"`, `"a\"\\/\b\f\n\r\t\u0001éé😀"`,
			"a\"\\/\b\f\n\r\t\x01éé😀", "a\"\\/\b\f\n\r\t\x01éé😀"},
		{`"\ud83d"`, `"�"`, "�", "�"},
		{`"\ud83d\u0041"`, `"�A"`, "�A", "�A"},
		{"\"\x7f\u2028\"", "\"\x7f\u2028\"", "\x7f\u2028", "\x7f\u2028"},
		{"\"a\xffb\xc3\"", `"a�b�"`, "a�b�", "a�b�"},
		{`[]`, `[]`, `[]`, `[]`},
		{`{}`, `{}`, `{}`, `{}`},
		{`{"foo":"bar"}`, `{"foo":"bar"}`, `{foo=bar}`, `{foo=bar}`},
		{`{"z":1,"a":null,"m":{"b":true}}`, `{"z":1,"a":null,"m":{"b":true}}`, `{z=1, a=null, m={b=true}}`, `{z=1, a=null, m={b=true}}`},
		{`{"foo":[{"nested":"bar"}]}`, `{"foo":[{"nested":"bar"}]}`, `{foo=[{"nested":"bar"}]}`, `{foo=[{nested=bar}]}`},
		{`["item1","item2"]`, `["item1","item2"]`, `["item1","item2"]`, `[item1, item2]`},
		{`[{"foo":"bar"},null,[1]]`, `[{"foo":"bar"},null,[1]]`, `[{"foo":"bar"},null,[1]]`, `[{foo=bar}, null, [1]]`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`, `{a=3, b=2}`, `{a=3, b=2}`},
	}
	for _, test := range tests {
		v := parse(t, test.text)
		if got := string(Append(nil, v)); got != test.json {
			t.Errorf("%s: JSON %s, want %s", test.text, got, test.json)
		}
		if got := string(AppendJava(nil, v)); got != test.java {
			t.Errorf("%s: Java %s, want %s (section E.2)", test.text, got, test.java)
		}
		if got := string(AppendCollection(nil, v)); got != test.collection {
			t.Errorf("%s: collection %s, want %s (section C.1)", test.text, got, test.collection)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                  "offset 0: unexpected end",
		`{`:                 "offset 1: unexpected end",
		`{"a"`:              "unexpected end",
		`{"a":1,}`:          "offset 7: expected a name in quotes",
		`{a:1}`:             "expected a name in quotes",
		`{'a':1}`:           "expected a name in quotes",
		`{"a" 1}`:           "expected :",
		`{"a":1 "b":2}`:     "expected , or }",
		`[1 2]`:             "expected , or ]",
		`[1,]`:              "no value begins like this",
		`1 2`:               "text after the value",
		`01`:                "text after the value",
		`-`:                 "unexpected end",
		`1.`:                "unexpected end",
		`1.x`:               "expected a digit",
		`1e+`:               "unexpected end",
		`+1`:                "no value",
		`NaN`:               "no value",
		`tru`:               "no value",
		`"a`:                "unexpected end",
		"\"a\nb\"":          "control character",
		"\"\\n\n\"":         "control character",
		`"\x"`:              "no escape",
		`"\u12G4"`:          "four hexadecimal digits",
		`"\ud800\uZZ"`:      "four hexadecimal digits",
		"\ufeff1":           "no value",
		deep("[", 1001, ""): "nested too deep",
		strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001): "nested too deep",
	} {
		_, err := Parse([]byte(text))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%.40q): %v, want %q", text, err, want)
		}
	}
	parse(t, deep("[", MaxDepth, strings.Repeat("]", MaxDepth)))
}

func deep(open string, n int, rest string) string {
	return strings.Repeat(open, n) + rest
}

func TestObjectKeepsOrder(t *testing.T) {
	t.Parallel()
	for _, size := range []int{3, 50} { // with and without an index
		o := &Object{}
		var want []string
		for i := range size {
			name := fmt.Sprint("k", i)
			o.Set(name, Int(int64(i)))
			want = append(want, name)
		}
		o.Set("k1", "changed")
		if !slices.Equal(o.Keys(), want) {
			t.Errorf("keys %v, want %v", o.Keys(), want)
		}
		if !o.Delete("k0") || o.Delete("k0") {
			t.Error("k0 is there once")
		}
		if name, value := o.At(0); name != "k1" || value != "changed" {
			t.Errorf("first member %s=%v, want k1=changed", name, value)
		}
		for name := range o.All() {
			if _, ok := o.Get(name); !ok {
				t.Errorf("no %s", name)
			}
		}
		if _, ok := o.Get("k0"); ok || o.Len() != size-1 {
			t.Errorf("k0 %v, length %d", ok, o.Len())
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	l := NewList("a")
	l.Add(nil)
	if v, ok := l.At(1); v != nil || !ok || l.Len() != 2 {
		t.Errorf("At(1) = %v, %v of %d", v, ok, l.Len())
	}
	for _, i := range []int{-1, 2} {
		if _, ok := l.At(i); ok {
			t.Errorf("an item at %d", i)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b Number
		want int
	}{
		{"1", "2", -1}, {"2", "1", 1}, {"-1", "1", -1}, {"1", "-1", 1}, {"-2", "-1", -1}, {"-0", "0", 0},
		{"1", "1.0", 0}, {"1e2", "100", 0}, {"1e999", "1", 1}, {"10", "9", 1},
		{"12345678901234567890", "12345678901234567891", -1},
		{"-12345678901234567890", "-12345678901234567891", 1},
	} {
		if got := test.a.Compare(test.b); got != test.want {
			t.Errorf("%s compared to %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
	if i, ok := Number("-9223372036854775808").Int64(); !ok || i != -1<<63 {
		t.Errorf("the least integer is %d, %v", i, ok)
	}
	for _, n := range []Number{"1.0", "1e2", "9223372036854775808", "NaN", ""} {
		if _, ok := n.Int64(); ok {
			t.Errorf("%q is an int64", n)
		}
	}
	for f, want := range map[float64]Number{ // Double.toString
		1: "1.0", 0: "0.0", 0.1: "0.1", -12.5: "-12.5", 1e7: "1.0E7", 9999999: "9999999.0",
		1.5e-4: "1.5E-4", 0.001: "0.001", 123456789.5: "1.234567895E8", 1e100: "1.0E100",
	} {
		if got := Float(f); got != want {
			t.Errorf("Float(%g) = %s, want %s", f, got, want)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[true,null]}`, `{"b":[true,null],"a":1.0}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false}, {`{"a":1}`, `{"b":1}`, false},
		{`[1,2]`, `[2,1]`, false}, {`[1]`, `[1,2]`, false}, {`1`, `"1"`, false}, {`null`, `false`, false}, {`"a"`, `"a"`, true},
	} {
		if got := equal(parse(t, test.a), parse(t, test.b)); got != test.want {
			t.Errorf("%s equals %s: %v", test.a, test.b, got)
		}
	}
}

// equal compares as far as these values need it.
func equal(a, b any) bool {
	budget := 1 << 20
	return EqualWithin(a, b, &budget)
}

// A template can put a list into itself, or make one that doubles at every
// level; both must end.
func TestPrintingIsBounded(t *testing.T) {
	t.Parallel()
	self := &List{}
	self.Add(self)
	if got, want := string(Append(nil, self)), strings.Repeat("[", MaxDepth)+"null"+strings.Repeat("]", MaxDepth); got != want {
		t.Errorf("a list in itself has %d bytes, want %d", len(got), len(want))
	}
	other := &List{}
	other.Add(other)
	if equal(self, other) {
		t.Error("a list in itself equals another")
	}
	doubling := doubled()
	budget := 1000
	if EqualWithin(doubling, doubled(), &budget) || budget >= 0 {
		t.Errorf("comparing left a budget of %d", budget)
	}
	for name, within := range map[string]func([]byte, any, int) ([]byte, error){"JSON": AppendWithin, "Java": AppendJavaWithin} {
		if _, err := within(nil, doubling, 1<<16); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s of a value without end: %v", name, err)
		}
		if _, err := within(nil, self, 1<<16); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s of a list in itself: %v", name, err)
		}
		if got, err := within([]byte("12"), "abc", 5); err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// doubled has a text twice as long at every level.
func doubled() any {
	var v any = "x"
	for range 60 {
		o := &Object{}
		o.Set("a", v)
		o.Set("b", NewList(v))
		v = o
	}
	return v
}

func TestAllocations(t *testing.T) {
	const text = `{"action":"join","room":{"name":"a","size":12},"tags":["x","y"],"ok":true}`
	message := []byte(text)
	if n := testing.AllocsPerRun(100, func() { _, _ = Parse(message) }); n > 16 {
		t.Errorf("Parse allocates %v times", n)
	}
	v := parse(t, text)
	buffer := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buffer = AppendJava(Append(buffer[:0], v), v) }); n > 0 {
		t.Errorf("printing allocates %v times", n)
	}
}

// FuzzParse compares with encoding/json: what is JSON, and what it says.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5e3,"x\u00e9\n",null,true]}`, `"\ud83d\ude00\ud800"`, "\"\xff\"", `{"a":1,"a":2}`, `[[[`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text)
		if err != nil {
			if json.Valid(text) && !strings.Contains(err.Error(), "too deep") {
				t.Fatalf("%q is JSON, but: %v", text, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is not JSON", text)
		}
		printed := Append(nil, v)
		if want, got := decode(t, text), decode(t, printed); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %q", text, printed)
		}
		again, err := Parse(printed)
		if err != nil || !equal(v, again) || !bytes.Equal(Append(nil, again), printed) {
			t.Fatalf("%q, printed as %q, is read as another value (%v)", text, printed, err)
		}
		AppendJava(AppendCollection(nil, v), v)
	})
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func BenchmarkParse(b *testing.B) {
	message := []byte(`{"action":"sendmessage","room":"general","data":{"text":"` + strings.Repeat("hello ", 160) + `","tags":["a","b"],"n":42}}`)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(message); err != nil {
			b.Fatal(err)
		}
	}
}

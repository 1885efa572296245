package mask

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestIsSecret(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Authorization", "authorization", "Proxy-Authorization", "x-api-key", "X-Api-Key", "apiKey", "api_key", "password", "PASSWORD",
		"newPassword", "refresh_token", "accessToken", "X-Amz-Security-Token", "X-Amz-Signature", "clientSecret", "Cookie", "Set-Cookie",
		"aws_secret_access_key", "private-key", "credentials", "sessionId", "idToken", "auth", "pin",
	} {
		if !IsSecret(name) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range []string{"", "action", "key", "author", "User-Agent", "Sec-WebSocket-Key", "shipping", "passenger", "option", "session", "id"} {
		if IsSecret(name) {
			t.Errorf("%s is a secret", name)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, want string }{
		{"Authorization", "Bearer abc", Hidden},
		{"User-Agent", "curl/8", "curl/8"},
		{"X-Forwarded-Authentication", "bearer abc", Hidden},
		{"X-Proxy", "Basic YWJj", Hidden},
		{"Sec-WebSocket-Protocol", "chat, bearer.abc,json", "chat, ***, json"},
		{"sec-websocket-protocol", strings.Repeat("x", 40), Hidden},
		{"Referer", "https://a.example/x?room=1&access_token=abc#top", "https://a.example/x?room=1&access_token=***"},
		{"name", "value", "value"},
		{"token", "abc", Hidden},
	} {
		if got := Value(c.name, c.value); got != c.want {
			t.Errorf("%s: %s is shown as %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                          ``,
		`hello`:                     `hello`,
		`{"action":"send","n":1}`:   `{"action":"send","n":1}`,
		`{"password":"a\"b","n":1}`: `{"password":"***","n":1}`,
		`{"a":{"token" : "abc"}}`:   `{"a":{"token" : "***"}}`,
		`{"token":12.5}`:            `{"token":"***"}`,
		`{"token":null,"a":1}`:      `{"token":"***","a":1}`,
		`{"token":true}`:            `{"token":"***"}`,
		`{"credentials":{"user":"a","more":["}",{"b":1}]},"n":1}`: `{"credentials":"***","n":1}`,
		`{"tokens":["a","b"],"n":[1,2]}`:                          `{"tokens":"***","n":[1,2]}`,
		`{"pass\u0077ord":"abc"}`:                                 `{"pass\u0077ord":"***"}`,
		`[{"secret":"a"},{"secret":"b"}]`:                         `[{"secret":"***"},{"secret":"***"}]`,
		"{\n  \"apiKey\": \"abc\",\n  \"n\": 1\n}":                "{\n  \"apiKey\": \"***\",\n  \"n\": 1\n}",
		// cut off
		`{"password":"ab`:        `{"password":"***"`,
		`{"password":`:           `{"password":`,
		`{"password":"ab\`:       `{"password":"***"`,
		`{"credentials":{"a":"b`: `{"credentials":"***"`,
		`{"text":"half of \u00`:  `{"text":"half of \u00`,
		`{"n":1,"pass`:           `{"n":1,"pass`,
		// texts within texts
		`{"body":"{\"token\":\"abc\",\"n\":1}"}`:       `{"body":"{\"token\":\"***\",\"n\":1}"}`,
		`{"body":"{\"token\":\"ab`:                     `{"body":"{\"token\":\"***\"`,
		`"{\"a\":\"{\\\"token\\\":\\\"abc\\\"}\"}"`:    `"{\"a\":\"{\\\"token\\\":\\\"***\\\"}\"}"`,
		`{"url":"https://a.example/?token=abc&n=1"}`:   `{"url":"https://a.example/?token=***\u0026n=1"}`,
		`{"text":"a = b: c"}`:                          `{"text":"a = b: c"}`,
		`{"header":"Authorization: Bearer abc","n":1}`: `{"header":"Authorization:***","n":1}`,
		// forms and others
		`user=a&password=b&n=1`: `user=a&password=***&n=1`,
		`password=b`:            `password=***`,
		`pass%77ord=b`:          `pass%77ord=***`,
		"GET / HTTP/1.1\r\nCookie: a=b; c=d\r\nHost: x": "GET / HTTP/1.1\r\nCookie:***\r\nHost: x",
		`see https://a.example/x?token=abc and go on`:   `see https://a.example/x?token=*** and go on`,
		`secret='a b' n=1`:         `secret=*** n=1`,
		`12:30: the token is here`: `12:30: the token is here`,
		// JSON, or what looks like it, within others
		`42["login",{"password":"abc","n":1}]`:         `42["login",{"password":"***","n":1}]`,
		`sent {"token": "a b", "n":1} to b`:            `sent {"token": "***", "n":1} to b`,
		`42["x","{\"token\":\"abc\",\"n\":1}"]`:        `42["x","{\"token\":"***"]`,
		`42["x",{"token":`:                             `42["x",{"token":`,
		`42["x",{"token":"ab`:                          `42["x",{"token":"***"`,
		`{'token': 'a b', 'n': 1}`:                     `{'token': "***", 'n': 1}`,
		`{header={Authorization=abc, a=1}}`:            `{header={Authorization=*** a=1}}`,
		`{password: abc`:                               `{password:***`,
		`[info] login, password=abc by token="a b"`:    `[info] login, password=*** by token=***`,
		"{\"token\":\"a\"}\n{\"token\":\"b\"}":         "{\"token\":\"***\"}\n{\"token\":\"***\"}",
		"{\"body\":\"{\\\"token\\\":\\\"abc\\\"}\n\"}": "{\"body\":\"{\\\"token\\\":\"***\"}",
	} {
		if got := string(Append(nil, []byte(text))); got != want {
			t.Errorf("%s\n is shown as %s\n      want %s", text, got, want)
		}
	}
}

// Whatever a text is, showing it neither fails nor takes long, JSON stays JSON, what is
// hidden is not in it, and a text without such names is shown as it is.
func FuzzAppend(f *testing.F) {
	for _, seed := range []string{`{"password":"SECRETVALUE","a":[1,"x"]}`, `a=b&token=SECRETVALUE`, `{"b":"{\"token\":\"SECRETVALUE\"}"}`, `"\`, `{"a":"\u12`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			return
		}
		got := Append(nil, text)
		if json.Valid(text) && !json.Valid(got) {
			t.Errorf("%q is shown as %q, which is not JSON", text, got)
		}
		again := Append(nil, got)
		if json.Valid(text) && !bytes.Equal(again, got) {
			t.Errorf("%q is shown as %q, and that as %q", text, got, again)
		}
		body, _ := json.Marshal(map[string]any{"n": 1, "password": "SECRETVALUE", "text": string(text)})
		if shown := Append(nil, body); bytes.Contains(shown, []byte(`"SECRETVALUE"`)) && !bytes.Contains(text, []byte("SECRETVALUE")) || !json.Valid(shown) {
			t.Errorf("%s is shown as %s", body, shown)
		}
	})
}

package sigv4

import (
	"slices"
	"strings"
	"testing"
)

const suiteHead = "Host:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n"

// suite has the cases of AWS's published test suite for Signature Version 4:
// the request line and the headers that a case adds, what they become, and the
// signature that AWS published.
var suite = []struct {
	name      string
	line      string // method and target
	headers   string // beyond suiteHead
	body      string
	path      string // canonical
	query     string // canonical
	canonical string // headers that are signed, beyond suiteHead
	signature string
}{
	{
		name: "get-vanilla", line: "GET /", path: "/",
		signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		name: "get-header-key-duplicate", line: "GET /", path: "/",
		headers: "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n", canonical: "my-header1:value2,value2,value1",
		signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
	},
	{
		name: "get-header-value-multiline", line: "GET /", path: "/",
		headers: "My-Header1:value1\n  value2\n     value3\n", canonical: "my-header1:value1 value2 value3",
		signature: "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
	},
	{
		name: "get-header-value-order", line: "GET /", path: "/",
		headers: "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n", canonical: "my-header1:value4,value1,value3,value2",
		signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
	},
	{
		name: "get-header-value-trim", line: "GET /", path: "/",
		headers: "My-Header1: value1\nMy-Header2: \"a   b   c\"\n", canonical: "my-header1:value1\nmy-header2:\"a b c\"",
		signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
	},
	{
		name: "get-unreserved", line: "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		path:      "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
	},
	{
		name: "get-utf8", line: "GET /ሴ", path: "/%E1%88%B4",
		signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
	},
	{
		name: "get-vanilla-empty-query-key", line: "GET /?Param1=value1", path: "/", query: "Param1=value1",
		signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
	},
	{
		name: "get-vanilla-query", line: "GET /", path: "/",
		signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		name: "get-vanilla-query-order-key-case", line: "GET /?Param2=value2&Param1=value1", path: "/", query: "Param1=value1&Param2=value2",
		signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
	},
	{
		name: "get-vanilla-query-order-key", line: "GET /?Param1=value2&Param1=Value1", path: "/", query: "Param1=Value1&Param1=value2",
		signature: "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
	},
	{
		name: "get-vanilla-query-order-value", line: "GET /?Param1=value2&Param1=value1", path: "/", query: "Param1=value1&Param1=value2",
		signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
	},
	{
		name:      "get-vanilla-query-unreserved",
		line:      "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		path:      "/",
		query:     "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
	},
	{
		name: "get-vanilla-utf8-query", line: "GET /?ሴ=bar", path: "/", query: "%E1%88%B4=bar",
		signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
	},
	{
		name: "normalize-path/get-relative", line: "GET /example/..", path: "/",
		signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		name: "normalize-path/get-relative-relative", line: "GET /example1/example2/../..", path: "/",
		signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		name: "normalize-path/get-slash", line: "GET //", path: "/",
		signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		name: "normalize-path/get-slash-dot-slash", line: "GET /./", path: "/",
		signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		name: "normalize-path/get-slash-pointless-dot", line: "GET /./example", path: "/example",
		signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
	},
	{
		name: "normalize-path/get-slashes", line: "GET //example//", path: "/example/",
		signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
	},
	{
		name: "normalize-path/get-space", line: "GET /example space/", path: "/example%20space/",
		signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
	},
	{
		name: "post-header-key-case", line: "POST /", path: "/",
		signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	},
	{
		name: "post-header-key-sort", line: "POST /", headers: "My-Header1:value1\n", path: "/", canonical: "my-header1:value1",
		signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
	},
	{
		name: "post-header-value-case", line: "POST /", headers: "My-Header1:VALUE1\n", path: "/", canonical: "my-header1:VALUE1",
		signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
	},
	{
		name: "post-vanilla", line: "POST /", path: "/",
		signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	},
	{
		name: "post-vanilla-query", line: "POST /?Param1=value1", path: "/", query: "Param1=value1",
		signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
	},
	{
		name: "post-x-www-form-urlencoded", line: "POST /", path: "/", body: "Param1=value1",
		headers: "Content-Type:application/x-www-form-urlencoded\nContent-Length:13\n", canonical: "content-type:application/x-www-form-urlencoded",
		signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
	},
	{
		name: "post-x-www-form-urlencoded-parameters", line: "POST /", path: "/", body: "Param1=value1",
		headers: "Content-Type:application/x-www-form-urlencoded; charset=utf8\nContent-Length:13\n", canonical: "content-type:application/x-www-form-urlencoded; charset=utf8",
		signature: "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
	},
	{
		name: "post-sts-token/post-sts-header-before", line: "POST /", path: "/",
		headers: "X-Amz-Security-Token:" + suiteToken + "\n", canonical: "x-amz-security-token:" + suiteToken,
		signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
	},
	{
		name: "post-sts-token/post-sts-header-after", line: "POST /", path: "/", // the token came after the signature
		headers:   "X-Amz-Security-Token:" + suiteToken + "\n",
		signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	},
}

const suiteToken = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

func TestPublishedSuite(t *testing.T) {
	t.Parallel()
	for _, c := range suite {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lines := []string{"host:example.amazonaws.com", "x-amz-date:20150830T123600Z"}
			if c.canonical != "" {
				lines = append(lines, strings.Split(c.canonical, "\n")...)
			}
			slices.Sort(lines)
			var names []string
			for _, line := range lines {
				name, _, _ := strings.Cut(line, ":")
				names = append(names, name)
			}
			signed := strings.Join(names, ";")
			method, target, _ := strings.Cut(c.line, " ")
			r, body := mustReceive(t, method+" / HTTP/1.1\n"+suiteHead+c.headers+
				"Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="+
				signed+", Signature="+c.signature+"\n\n"+c.body)
			r.RequestURI = target // net/http reads none with a space

			claim, err := parseClaim(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := claim.checkForm(); err != nil {
				t.Fatal(err)
			}
			canonical, faithful, err := claim.canonicalRequest(body)
			want := strings.Join([]string{method, c.path, c.query, strings.Join(lines, "\n"), "", signed, hashHex(body)}, "\n")
			if canonical != want || !faithful || err != nil {
				t.Errorf("canonical request (faithful: %t, error: %v)\n%s\nwant\n%s", faithful, err, canonical, want)
			}
			if _, err := verifierAt(suiteTime).Verify(t.Context(), r, body, "service"); err != nil {
				t.Error(err)
			}
		})
	}
}

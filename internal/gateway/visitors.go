package gateway

import (
	"net/http"

	"github.com/stagedoor/stagedoor/internal/webguard"
)

// Guarded refuses what web pages of other sites have a visitor's browser send to
// a port that asks nobody for a signature: a page that a developer looks at must
// not call functions, or change APIs, on the developer's machine.
func Guarded(guard webguard.Guard, next http.Handler) http.Handler {
	return guard.Handler(next, func(w http.ResponseWriter, r *webguard.Refusal) { RefuseVisitor(r).WriteTo(w) })
}

package plan

import (
	"fmt"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// required reads what the handshake must have for a $connect route; nil when
// that is nothing. Other routes have no parameters.
func required(r *apigw.Route) (*mapping.Required, error) {
	if r.RouteKey != "$connect" || len(r.RequestParameters) == 0 {
		return nil, nil
	}
	return mapping.CompileRequired(r.RequestParameters)
}

// unavailable refuses what would let in who must not come in if it were
// ignored.
func unavailable(r *apigw.Route) error {
	switch {
	case r.AuthorizationType != "" && r.AuthorizationType != "NONE":
		return fmt.Errorf("authorization type %s is not available in this version of Stagedoor", r.AuthorizationType)
	case r.ApiKeyRequired:
		return fmt.Errorf("API keys are not available in this version of Stagedoor")
	}
	return nil
}

package deploy

import (
	"errors"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// account has the settings of the gateway's account; nil where they are not
// known.
type account struct {
	logRole string // the ARN that stages with logs need; empty for none
}

// account reads the account's settings. It returns nil if the credentials do
// not allow that.
func (r *reader) account() (*account, error) {
	var found wirev1.Account
	err := r.do(r.ctx, &call{Endpoint: wirev1.GetAccount.Endpoint}, &found)
	var refused *apigw.Error
	if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return nil, nil
	}
	return &account{logRole: text(found.CloudwatchRoleArn)}, err
}

// account sets the account's role for logs if a stage logs and there is none,
// because API Gateway refuses such a stage without. Here the role is only a
// name, and is never assumed.
func (c *comparison) account(want, have *State) {
	if have.account == nil || have.account.logRole != "" || !want.logs() {
		return
	}
	role := "arn:" + apigw.Partition(c.region) + ":iam::" + want.accountID + ":role/apigateway-logs"
	change := &Change{Action: Update, Type: "Account", Members: []string{"cloudwatchRoleArn"}}
	change.calls = []step{{call: call{Endpoint: wirev1.UpdateAccount.Endpoint, body: properties{
		"patchOperations": []any{map[string]any{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}},
	}}}}
	c.add(change)
}

// logs reports whether a stage of the stack logs.
func (s *State) logs() bool {
	for _, a := range s.apis {
		for _, stage := range a.stages {
			settings, _ := stage.properties[defaultSettings].(map[string]any)
			if stage.properties[accessLog] != nil || turnsLoggingOn(settings) {
				return true
			}
			ofRoutes, _ := stage.properties[routeSettings].(map[string]any)
			for _, one := range ofRoutes {
				if settings, _ := one.(map[string]any); turnsLoggingOn(settings) {
					return true
				}
			}
		}
	}
	return false
}

func turnsLoggingOn(settings map[string]any) bool {
	level, given := settings["loggingLevel"]
	return given && level != "OFF" && level != ""
}

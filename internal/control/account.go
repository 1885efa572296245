package control

import (
	"context"
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/usage"
)

func (s *server) accountOperations() []handler {
	return []handler{
		operation(wirev1.GetAccount, s.getAccount),
		operation(wirev1.UpdateAccount, s.updateAccount),
	}
}

// Settings that AWS returns for every account (section J).
const (
	apiKeyVersion = "4"
	featurePlans  = "UsagePlans"
)

func (s *server) getAccount(ctx context.Context, _ *wirev1.GetAccountRequest) (*wirev1.Account, error) {
	account, _, err := s.loadAccount(ctx)
	if err != nil {
		return nil, err
	}
	return s.accountView(account), nil
}

func (s *server) updateAccount(ctx context.Context, in *wirev1.UpdateAccountRequest) (*wirev1.Account, error) {
	account, revision, err := s.loadAccount(ctx)
	if err != nil {
		return nil, err
	}
	// Usage plans are on in every account.
	feature := func(string, ...string) error { return nil }
	role := toText(&account.CloudwatchRoleArn)
	err = patches{
		"replace": {"/cloudwatchRoleArn": role},
		"add":     {"/features": feature},
		"remove":  {"/features": feature, "/cloudwatchRoleArn": role},
	}.apply(in.PatchOperations)
	if err != nil {
		return nil, err
	}
	if account.CloudwatchRoleArn != "" && !roleARN.MatchString(account.CloudwatchRoleArn) {
		return nil, apigw.BadRequest("Role ARN is not well formed")
	}
	// What nodes serve does not depend on it: there is nothing to wait for.
	if _, err := s.Store.Account.Put(ctx, account, revision); err != nil {
		return nil, err
	}
	return s.accountView(account), nil
}

var roleARN = lazyregexp.New(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)

// loadAccount returns the account's settings, and its revision, 0 where nothing
// was set.
func (s *server) loadAccount(ctx context.Context) (*apigw.Account, uint64, error) {
	account, revision, err := s.Store.Account.Get(ctx, store.AccountID)
	if errors.Is(err, store.ErrNotFound) {
		return new(apigw.Account), 0, nil
	}
	return account, revision, err
}

// accountView returns what clients are told of the account: its settings, and the
// limit of requests that holds for this gateway, where there is one.
func (s *server) accountView(account *apigw.Account) *wirev1.Account {
	view := &wirev1.Account{
		ApiKeyVersion:     new(apiKeyVersion),
		CloudwatchRoleArn: optional(account.CloudwatchRoleArn),
		Features:          []string{featurePlans},
	}
	if r := s.Requests.Completed(); r != (usage.Rate{}) {
		view.ThrottleSettings = &wirev1.ThrottleSettings{RateLimit: &r.PerSecond, BurstLimit: &r.Burst}
	}
	return view
}

package control

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/store"
)

func (s *server) apiKeyOperations() []handler {
	return []handler{
		operation(wirev1.CreateApiKey, s.createAPIKey),
		operation(wirev1.GetApiKey, s.getAPIKey),
		operation(wirev1.GetApiKeys, s.getAPIKeys),
		operation(wirev1.UpdateApiKey, s.updateAPIKey),
		silent(wirev1.DeleteApiKey, s.deleteAPIKey),
		operation(wirev1.ImportApiKeys, s.importAPIKeys),
	}
}

// Lengths of a key's value, in bytes (section I.4).
const (
	minKeyValue = 20
	maxKeyValue = 128
	// newKeyValue is the length of values that are made here.
	newKeyValue = 40
)

// createAPIKey makes a key. Its id is always random, whatever
// generateDistinctId is: ids stand in logs and events, and must not reveal the
// value.
func (s *server) createAPIKey(ctx context.Context, in *wirev1.CreateApiKeyRequest) (*wirev1.ApiKey, error) {
	key := &apigw.ApiKey{}
	set(&key.Name, in.Name)
	set(&key.Description, in.Description)
	set(&key.CustomerId, in.CustomerId)
	set(&key.Enabled, in.Enabled)
	set(&key.Value, in.Value)
	replace(&key.Tags, in.Tags)
	for _, stage := range in.StageKeys {
		var id, name string
		set(&id, stage.RestApiId)
		set(&name, stage.StageName)
		key.StageKeys = append(key.StageKeys, id+"/"+name)
	}
	keys, err := s.listKeys(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.addKey(ctx, key, keys); err != nil {
		return nil, err
	}
	return apiKeyView(key, true), nil
}

// addKey checks and writes a new key. keys are those that exist already.
func (s *server) addKey(ctx context.Context, key *apigw.ApiKey, keys []*apigw.ApiKey) error {
	if err := s.checkNewKey(key, keys); err != nil {
		return err
	}
	key.CreatedDate, key.LastUpdatedDate = s.now(), s.now()
	key.Id = unusedID(apigw.NewAPIID, func(id string) bool {
		return slices.ContainsFunc(keys, func(k *apigw.ApiKey) bool { return k.Id == id })
	})
	revision, err := s.Store.ApiKeys.Put(ctx, key, 0)
	return s.written(ctx, revision, err)
}

// checkNewKey returns an error unless the key may be added to those that exist.
// It makes a value for a key that has none.
func (s *server) checkNewKey(key *apigw.ApiKey, keys []*apigw.ApiKey) error {
	if key.Value == "" {
		key.Value = newValue()
	}
	if err := checkKey(key); err != nil {
		return err
	}
	if err := s.checkTags(key.Tags); err != nil {
		return err
	}
	if slices.ContainsFunc(keys, func(k *apigw.ApiKey) bool { return k.Value == key.Value }) {
		return apigw.Conflict("API Key already exists")
	}
	return checkQuota(len(keys), s.Quotas.APIKeys, "ApiKeys", "account")
}

// newValue makes a value of letters and digits that nobody can guess.
func newValue() string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	value := make([]byte, 0, newKeyValue)
	random := make([]byte, 2*newKeyValue)
	for len(value) < newKeyValue {
		_, _ = rand.Read(random) // never fails
		for _, b := range random {
			// Numbers beyond the alphabet are dropped, so that all characters
			// are equally probable.
			if i := int(b) & 63; i < len(alphabet) && len(value) < newKeyValue {
				value = append(value, alphabet[i])
			}
		}
	}
	return string(value)
}

func checkKey(key *apigw.ApiKey) error {
	switch {
	case len(key.Value) < minKeyValue:
		return apigw.BadRequest("API Key value should be at least 20 characters")
	case len(key.Value) > maxKeyValue:
		return apigw.BadRequest("API Key value exceeds maximum size of 128 characters")
	case strings.ContainsFunc(key.Value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return apigw.BadRequest("API Key value must consist of printable ASCII characters without spaces")
	case len(key.Name) > 1024:
		return apigw.BadRequest("API Key name exceeds maximum size of 1024 characters")
	}
	return nil
}

func (s *server) getAPIKey(ctx context.Context, in *wirev1.GetApiKeyRequest) (*wirev1.ApiKey, error) {
	key, _, err := s.loadKey(ctx, in.ApiKey)
	if err != nil {
		return nil, err
	}
	return apiKeyView(key, in.IncludeValue != nil && *in.IncludeValue), nil
}

// getAPIKeys lists keys: all, or those of a customer and those whose names
// begin with a text.
func (s *server) getAPIKeys(ctx context.Context, in *wirev1.GetApiKeysRequest) (*wirev1.ApiKeys, error) {
	keys, err := s.listKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys = slices.DeleteFunc(keys, func(k *apigw.ApiKey) bool {
		return in.NameQuery != nil && !strings.HasPrefix(k.Name, *in.NameQuery) || in.CustomerId != nil && k.CustomerId != *in.CustomerId
	})
	view := func(k *apigw.ApiKey) *wirev1.ApiKey {
		return apiKeyView(k, in.IncludeValues != nil && *in.IncludeValues)
	}
	items, next, err := pageV1(keys, keyID, view, in.Limit, in.Position)
	if err != nil {
		return nil, err
	}
	return &wirev1.ApiKeys{Items: items, Position: next}, nil
}

func keyID(k *apigw.ApiKey) string { return k.Id }

func (s *server) updateAPIKey(ctx context.Context, in *wirev1.UpdateApiKeyRequest) (*wirev1.ApiKey, error) {
	key, err := s.changeKey(ctx, in.ApiKey, func(key *apigw.ApiKey) error {
		key.LastUpdatedDate = s.now()
		return keyPatches(key).apply(in.PatchOperations)
	})
	if err != nil {
		return nil, err
	}
	return apiKeyView(key, false), nil
}

// keyPatches are what can be changed of a key. Its value cannot.
func keyPatches(key *apigw.ApiKey) patches {
	return patches{
		"replace": {
			"/name": toText(&key.Name), "/description": toText(&key.Description), "/customerId": toText(&key.CustomerId),
			"/enabled": toNumber("enabled", strconv.ParseBool, func(b bool) { key.Enabled = b }),
		},
		"add": {"/stages": func(value string, _ ...string) error {
			if !slices.Contains(key.StageKeys, value) {
				key.StageKeys = append(key.StageKeys, value)
			}
			return nil
		}},
		"remove": {"/stages": func(value string, _ ...string) error {
			key.StageKeys = slices.DeleteFunc(key.StageKeys, func(stage string) bool { return stage == value })
			return nil
		}},
	}
}

// deleteAPIKey removes a key, and then takes it out of usage plans. A plan that
// still names it for a moment lets nobody in.
func (s *server) deleteAPIKey(ctx context.Context, in *wirev1.DeleteApiKeyRequest) error {
	_, revision, err := s.loadKey(ctx, in.ApiKey)
	if err != nil {
		return err
	}
	revision, err = s.Store.ApiKeys.Delete(ctx, revision, in.ApiKey)
	if err := s.written(ctx, revision, err); err != nil {
		return err
	}
	plans, err := s.plansOf(ctx, in.ApiKey)
	for _, plan := range plans {
		_, failed := s.changePlan(ctx, plan.Id, func(plan *apigw.UsagePlan) error {
			plan.KeyIds = slices.DeleteFunc(plan.KeyIds, func(id string) bool { return id == in.ApiKey })
			return nil
		})
		err = errors.Join(err, failed)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "an API key that is gone still stands in usage plans", "key", in.ApiKey, "error", err)
	}
	return nil
}

func (s *server) loadKey(ctx context.Context, id string) (*apigw.ApiKey, uint64, error) {
	key, revision, err := s.Store.ApiKeys.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, apigw.NotFound("ApiKey", "Invalid API Key identifier specified")
	}
	return key, revision, err
}

func (s *server) listKeys(ctx context.Context) ([]*apigw.ApiKey, error) {
	entries, err := s.Store.ApiKeys.List(ctx)
	return values(entries), err
}

// values returns the values of a collection's entries.
func values[T any](entries []store.Entry[T]) []*T {
	values := make([]*T, len(entries))
	for i, e := range entries {
		values[i] = e.Value
	}
	return values
}

// changeKey loads a key, lets change work on it, and writes it.
func (s *server) changeKey(ctx context.Context, id string, change func(*apigw.ApiKey) error) (*apigw.ApiKey, error) {
	key, revision, err := s.loadKey(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := change(key); err != nil {
		return nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	revision, err = s.Store.ApiKeys.Put(ctx, key, revision)
	return key, s.written(ctx, revision, err)
}

// apiKeyView is what clients see of a key: its value only where they ask for
// it.
func apiKeyView(key *apigw.ApiKey, withValue bool) *wirev1.ApiKey {
	out := &wirev1.ApiKey{
		CreatedDate:     &wire.Epoch{Time: key.CreatedDate},
		CustomerId:      optional(key.CustomerId),
		Description:     optional(key.Description),
		Enabled:         &key.Enabled,
		Id:              &key.Id,
		LastUpdatedDate: &wire.Epoch{Time: key.LastUpdatedDate},
		Name:            optional(key.Name),
		StageKeys:       append([]string{}, key.StageKeys...),
		Tags:            key.Tags,
	}
	if withValue {
		out.Value = &key.Value
	}
	return out
}

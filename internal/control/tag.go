package control

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

func (s *server) tagOperations() []handler {
	return []handler{
		operation(wire.TagResource, s.tagResource),
		operation(wire.GetTags, s.getTags),
		silent(wire.UntagResource, s.untagResource),
	}
}

func (s *server) tagResource(ctx context.Context, in *wire.TagResourceRequest) (*wire.TagResourceResponse, error) {
	err := s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
	if err != nil {
		return nil, err
	}
	return new(wire.TagResourceResponse), nil
}

// untagResource removes tags. Keys that the resource does not have are ignored.
func (s *server) untagResource(ctx context.Context, in *wire.UntagResourceRequest) error {
	return s.changeTags(ctx, in.ResourceArn, without(in.TagKeys))
}

// without returns a change, for changeTags, that removes tags.
func without(keys []string) func(map[string]string) {
	return func(tags map[string]string) {
		maps.DeleteFunc(tags, func(key, _ string) bool { return slices.Contains(keys, key) })
	}
}

func (s *server) getTags(ctx context.Context, in *wire.GetTagsRequest) (*wire.GetTagsResponse, error) {
	tags, err := s.readTags(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &wire.GetTagsResponse{Tags: orEmpty(tags)}, nil
}

// readTags returns the tags of the resource with an ARN.
func (s *server) readTags(ctx context.Context, arn string) (map[string]string, error) {
	path, err := s.pathOf(arn)
	if err != nil {
		return nil, err
	}
	if resource, found := s.taggedTypes()[path[0]]; found && len(path) == 2 {
		return resource.read(ctx, path[1])
	}
	if !isStage(path) {
		return nil, noSuchResource(arn)
	}
	if _, err := s.readAPI(ctx, path[1]); err != nil {
		return nil, err
	}
	stage, _, err := s.loadStage(ctx, path[1], path[3])
	return tagsOf(stage, err, func(stage *apigw.Stage) map[string]string { return stage.Tags })
}

// isStage reports whether a path is that of a stage,
// /apis/{apiId}/stages/{stageName}.
func isStage(path []string) bool { return len(path) == 4 && path[0] == "apis" && path[2] == "stages" }

// changeTags changes the tags of the resource with an ARN. A stage's are in
// effect at once.
func (s *server) changeTags(ctx context.Context, arn string, change func(map[string]string)) error {
	path, err := s.pathOf(arn)
	if err != nil {
		return err
	}
	apply := func(member *map[string]string) error {
		tags := orEmpty(*member)
		change(tags)
		replace(member, tags)
		return s.checkTags(tags)
	}
	if resource, found := s.taggedTypes()[path[0]]; found && len(path) == 2 {
		return resource.change(ctx, path[1], apply)
	}
	if isStage(path) {
		return s.changeStage(ctx, path[1], path[3], func(_ *apigw.API, stage *apigw.Stage) error { return apply(&stage.Tags) })
	}
	return noSuchResource(arn)
}

// pathOf returns the steps of the resource that an ARN of this region stands
// for, arn:aws:apigateway:{region}::/apis/{apiId}/stages/{stage} for example.
func (s *server) pathOf(arn string) ([]string, error) {
	_, rest, _ := strings.Cut(strings.TrimPrefix(arn, "arn:"), ":")
	path, ok := strings.CutPrefix(rest, "apigateway:"+s.Region+"::/")
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return nil, apigw.BadRequest("Invalid resource ARN specified: " + arn + ". The format must be arn:aws:apigateway:" + s.Region + "::/apis/{apiId} or …/apis/{apiId}/stages/{stageName}")
	}
	return strings.Split(path, "/"), nil
}

func noSuchResource(arn string) error {
	return apigw.NotFound("Resource", "Invalid resource identifier specified "+arn)
}

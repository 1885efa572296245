package control

import (
	"context"
	"maps"

	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// The operations of v1 are those of v2 with other methods and statuses. Both
// read and change the tags of resources of either version.
func (s *server) tagV1Operations() []handler {
	return []handler{
		silent(wirev1.TagResource, s.tagResourceV1),
		operation(wirev1.GetTags, s.getTagsV1),
		silent(wirev1.UntagResource, s.untagResourceV1),
	}
}

func (s *server) tagResourceV1(ctx context.Context, in *wirev1.TagResourceRequest) error {
	return s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// getTagsV1 returns all tags at once: a resource has no more than a page of
// them.
func (s *server) getTagsV1(ctx context.Context, in *wirev1.GetTagsRequest) (*wirev1.Tags, error) {
	tags, err := s.readTags(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &wirev1.Tags{Tags: orEmpty(tags)}, nil
}

func (s *server) untagResourceV1(ctx context.Context, in *wirev1.UntagResourceRequest) error {
	return s.changeTags(ctx, in.ResourceArn, without(in.TagKeys))
}

package control

import (
	"context"
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/store"
)

// VPC links of v2 are for HTTP APIs (section H.5). They can be created because
// templates have them; integrations here go through links of v1.
func (s *server) vpcLinkOperations() []handler {
	return []handler{
		operation(wire.CreateVpcLink, s.createVPCLink),
		operation(wire.GetVpcLink, s.getVPCLink),
		operation(wire.GetVpcLinks, s.getVPCLinks),
		operation(wire.UpdateVpcLink, s.updateVPCLink),
		operation(wire.DeleteVpcLink, s.deleteVPCLink),
	}
}

// linkAvailable is the status of every VPC link: there is nothing to wait for.
const linkAvailable = "AVAILABLE"

func (s *server) createVPCLink(ctx context.Context, in *wire.CreateVpcLinkRequest) (*wire.VpcLink, error) {
	link := &apigw.VpcLink{Name: *in.Name, SubnetIds: in.SubnetIds, SecurityGroupIds: in.SecurityGroupIds}
	replace(&link.Tags, in.Tags)
	if len(link.SubnetIds) == 0 {
		return nil, apigw.BadRequest("Missing required member: subnetIds")
	}
	if err := s.addLink(ctx, link); err != nil {
		return nil, err
	}
	return vpcLinkView(link), nil
}

func (s *server) getVPCLink(ctx context.Context, in *wire.GetVpcLinkRequest) (*wire.VpcLink, error) {
	link, _, err := s.loadLink(ctx, in.VpcLinkId, ofV2)
	if err != nil {
		return nil, err
	}
	return vpcLinkView(link), nil
}

func (s *server) getVPCLinks(ctx context.Context, in *wire.GetVpcLinksRequest) (*wire.GetVpcLinksResponse, error) {
	links, err := s.listLinks(ctx, ofV2)
	if err != nil {
		return nil, err
	}
	items, next, err := page(links, linkID, vpcLinkView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetVpcLinksResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateVPCLink(ctx context.Context, in *wire.UpdateVpcLinkRequest) (*wire.VpcLink, error) {
	link, err := s.changeLink(ctx, in.VpcLinkId, ofV2, func(link *apigw.VpcLink) error {
		set(&link.Name, in.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return vpcLinkView(link), nil
}

func (s *server) deleteVPCLink(ctx context.Context, in *wire.DeleteVpcLinkRequest) (*wire.DeleteVpcLinkResponse, error) {
	if err := s.removeLink(ctx, in.VpcLinkId, ofV2); err != nil {
		return nil, err
	}
	return new(wire.DeleteVpcLinkResponse), nil
}

// linkVersion is the version of the API that a link belongs to: v1, whose links
// have load balancers, or v2, whose links have subnets.
type linkVersion bool

const (
	ofV1 linkVersion = true
	ofV2 linkVersion = false
)

func versionOf(link *apigw.VpcLink) linkVersion { return linkVersion(len(link.TargetArns) > 0) }

func linkID(link *apigw.VpcLink) string { return link.VpcLinkId }

// addLink gives a new link an id and writes it.
func (s *server) addLink(ctx context.Context, link *apigw.VpcLink) error {
	if link.Name == "" {
		return errLinkName
	}
	if err := s.checkTags(link.Tags); err != nil {
		return err
	}
	ids, err := s.Store.VpcLinks.IDs(ctx)
	if err != nil {
		return err
	}
	if err := checkQuota(len(ids), s.Quotas.VPCLinks, "VpcLinks", "account"); err != nil {
		return err
	}
	link.CreatedDate = s.now()
	link.VpcLinkId = unusedID(apigw.NewChildID, takenIn(ids))
	revision, err := s.Store.VpcLinks.Put(ctx, link, 0)
	return s.written(ctx, revision, err)
}

var errLinkName = apigw.BadRequest("Invalid value for name: it must have between 1 and 128 characters.")

func (s *server) loadLink(ctx context.Context, id string, version linkVersion) (*apigw.VpcLink, uint64, error) {
	link, revision, err := s.loadAnyLink(ctx, id)
	if err == nil && versionOf(link) != version {
		return nil, 0, notFound("VpcLink", id)
	}
	return link, revision, err
}

func (s *server) loadAnyLink(ctx context.Context, id string) (*apigw.VpcLink, uint64, error) {
	link, revision, err := s.Store.VpcLinks.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, notFound("VpcLink", id)
	}
	return link, revision, err
}

func (s *server) listLinks(ctx context.Context, version linkVersion) ([]*apigw.VpcLink, error) {
	entries, err := s.Store.VpcLinks.List(ctx)
	if err != nil {
		return nil, err
	}
	var links []*apigw.VpcLink
	for _, e := range entries {
		if versionOf(e.Value) == version {
			links = append(links, e.Value)
		}
	}
	return links, nil
}

// changeLink loads a link, lets change work on it, and writes it.
func (s *server) changeLink(ctx context.Context, id string, version linkVersion, change func(*apigw.VpcLink) error) (*apigw.VpcLink, error) {
	link, revision, err := s.loadLink(ctx, id, version)
	if err != nil {
		return nil, err
	}
	if err := change(link); err != nil {
		return nil, err
	}
	if link.Name == "" {
		return nil, errLinkName
	}
	revision, err = s.Store.VpcLinks.Put(ctx, link, revision)
	return link, s.written(ctx, revision, err)
}

func (s *server) removeLink(ctx context.Context, id string, version linkVersion) error {
	_, revision, err := s.loadLink(ctx, id, version)
	if err != nil {
		return err
	}
	revision, err = s.Store.VpcLinks.Delete(ctx, revision, id)
	return s.written(ctx, revision, err)
}

// takenIn returns a function that reports whether an id is among ids.
func takenIn(ids [][]string) func(id string) bool {
	taken := make(map[string]bool, len(ids))
	for _, id := range ids {
		taken[id[0]] = true
	}
	return func(id string) bool { return taken[id] }
}

func vpcLinkView(link *apigw.VpcLink) *wire.VpcLink {
	groups := link.SecurityGroupIds
	if groups == nil {
		groups = []string{}
	}
	return &wire.VpcLink{
		CreatedDate:          &wire.Timestamp{Time: link.CreatedDate},
		Name:                 &link.Name,
		SecurityGroupIds:     groups,
		SubnetIds:            link.SubnetIds,
		Tags:                 link.Tags,
		VpcLinkId:            &link.VpcLinkId,
		VpcLinkStatus:        new(linkAvailable),
		VpcLinkStatusMessage: new("VPC link is ready to route traffic"),
		VpcLinkVersion:       new("V2"),
	}
}

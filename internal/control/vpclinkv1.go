package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// VPC links of v1 are those of WebSocket APIs (section H.5). A link names its
// load balancer by an ARN. The address behind it is in the gateway's own
// configuration, or in the link's tag stagedoor:address.
func (s *server) vpcLinkV1Operations() []handler {
	return []handler{
		operation(wirev1.CreateVpcLink, s.createVPCLinkV1),
		operation(wirev1.GetVpcLink, s.getVPCLinkV1),
		operation(wirev1.GetVpcLinks, s.getVPCLinksV1),
		operation(wirev1.UpdateVpcLink, s.updateVPCLinkV1),
		silent(wirev1.DeleteVpcLink, s.deleteVPCLinkV1),
	}
}

func (s *server) createVPCLinkV1(ctx context.Context, in *wirev1.CreateVpcLinkRequest) (*wirev1.VpcLink, error) {
	link := &apigw.VpcLink{Name: *in.Name, TargetArns: in.TargetArns}
	set(&link.Description, in.Description)
	replace(&link.Tags, in.Tags)
	if len(link.TargetArns) != 1 || !strings.HasPrefix(link.TargetArns[0], "arn:") {
		return nil, apigw.BadRequest("Invalid targetArns specified: there must be one, the ARN of a load balancer")
	}
	if err := s.addLink(ctx, link); err != nil {
		return nil, err
	}
	return vpcLinkV1View(link), nil
}

func (s *server) getVPCLinkV1(ctx context.Context, in *wirev1.GetVpcLinkRequest) (*wirev1.VpcLink, error) {
	link, _, err := s.loadLink(ctx, in.VpcLinkId, ofV1)
	if err != nil {
		return nil, err
	}
	return vpcLinkV1View(link), nil
}

func (s *server) getVPCLinksV1(ctx context.Context, in *wirev1.GetVpcLinksRequest) (*wirev1.VpcLinks, error) {
	links, err := s.listLinks(ctx, ofV1)
	if err != nil {
		return nil, err
	}
	items, next, err := pageV1(links, linkID, vpcLinkV1View, in.Limit, in.Position)
	if err != nil {
		return nil, err
	}
	return &wirev1.VpcLinks{Items: items, Position: next}, nil
}

func (s *server) updateVPCLinkV1(ctx context.Context, in *wirev1.UpdateVpcLinkRequest) (*wirev1.VpcLink, error) {
	link, err := s.changeLink(ctx, in.VpcLinkId, ofV1, func(link *apigw.VpcLink) error {
		return patches{"replace": {"/name": toText(&link.Name), "/description": toText(&link.Description)}}.apply(in.PatchOperations)
	})
	if err != nil {
		return nil, err
	}
	return vpcLinkV1View(link), nil
}

// deleteVPCLinkV1 refuses links that integrations go through.
func (s *server) deleteVPCLinkV1(ctx context.Context, in *wirev1.DeleteVpcLinkRequest) error {
	apis, err := s.Store.APIs.List(ctx)
	if err != nil {
		return err
	}
	for _, api := range apis {
		for _, i := range api.Value.Integrations {
			if i.ConnectionType == connectionVPCLink && i.ConnectionId == in.VpcLinkId {
				return apigw.BadRequest(fmt.Sprintf("Cannot delete vpc link. Vpc link '%s', is referenced in [%s:%s] in format of [Api:Integration].",
					in.VpcLinkId, api.Value.ApiId, i.IntegrationId))
			}
		}
	}
	return s.removeLink(ctx, in.VpcLinkId, ofV1)
}

// checkLink returns an error unless the VPC link of an integration exists: one
// of v1, or one that only the gateway's configuration has.
func (s *server) checkLink(ctx context.Context, i *apigw.Integration) error {
	if i.ConnectionType != connectionVPCLink || s.HasLink != nil && s.HasLink(i.ConnectionId) {
		return nil
	}
	_, _, err := s.loadLink(ctx, i.ConnectionId, ofV1)
	return err
}

func vpcLinkV1View(link *apigw.VpcLink) *wirev1.VpcLink {
	return &wirev1.VpcLink{
		Description:   optional(link.Description),
		Id:            &link.VpcLinkId,
		Name:          &link.Name,
		Status:        new(linkAvailable),
		StatusMessage: new("Your vpc link is ready for use"),
		Tags:          link.Tags,
		TargetArns:    link.TargetArns,
	}
}

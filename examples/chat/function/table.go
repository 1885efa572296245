package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Table keeps Members in DynamoDB: one item for each connection, and the index
// "rooms" of those that are in a room.
type Table struct {
	Client *dynamodb.Client
	Name   string
}

// Add puts the item of a new connection.
func (t *Table) Add(ctx context.Context, m Member) error {
	return t.put(ctx, m, nil)
}

// Update replaces an item that must be there.
func (t *Table) Update(ctx context.Context, m Member) error {
	err := t.put(ctx, m, aws.String("attribute_exists(connectionId)"))
	var missing *types.ConditionalCheckFailedException
	if errors.As(err, &missing) {
		return ErrGone
	}
	return err
}

func (t *Table) put(ctx context.Context, m Member, condition *string) error {
	item, err := attributevalue.MarshalMap(m)
	if err != nil {
		return err
	}
	_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           &t.Name,
		Item:                item,
		ConditionExpression: condition,
	})
	return err
}

// Get reads an item, with the last write in it.
func (t *Table) Get(ctx context.Context, connectionID string) (Member, error) {
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.Name,
		Key:            key(connectionID),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Member{}, err
	}
	return member(out.Item)
}

// Remove deletes an item. Of two that try, one gets the old item.
func (t *Table) Remove(ctx context.Context, connectionID string) (Member, error) {
	out, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:    &t.Name,
		Key:          key(connectionID),
		ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return Member{}, err
	}
	return member(out.Attributes)
}

// InRoom queries the index.
func (t *Table) InRoom(ctx context.Context, room string) ([]Member, error) {
	pages := dynamodb.NewQueryPaginator(t.Client, &dynamodb.QueryInput{
		TableName:                 &t.Name,
		IndexName:                 aws.String("rooms"),
		KeyConditionExpression:    aws.String("room = :room"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":room": &types.AttributeValueMemberS{Value: room}},
	})
	var members []Member
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("query room %q: %w", room, err)
		}
		var found []Member
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &found); err != nil {
			return nil, err
		}
		members = append(members, found...)
	}
	return members, nil
}

func key(connectionID string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"connectionId": &types.AttributeValueMemberS{Value: connectionID},
	}
}

// member reads an item. An empty item stands for one that does not exist.
func member(item map[string]types.AttributeValue) (Member, error) {
	if len(item) == 0 {
		return Member{}, ErrGone
	}
	var m Member
	err := attributevalue.UnmarshalMap(item, &m)
	return m, err
}

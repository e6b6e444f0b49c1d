package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"example.com/blog/app01/xray"
)

const (
	clockTimeout = 3 * time.Second
	queueTimeout = 5 * time.Second // with the SDK's own retries
)

// httpClock asks app02.
type httpClock struct {
	url    string
	client *http.Client
}

func newClock(app02 *url.URL) *httpClock {
	return &httpClock{url: app02.JoinPath("time").String(), client: &http.Client{Timeout: clockTimeout}}
}

// Now implements clock.
func (c *httpClock) Now(ctx context.Context) (now string, err error) {
	call := xray.FromContext(ctx).Call("app02", "remote")
	defer func() { call.Close(err) }()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return "", err
	}
	if trace := call.Trace(); trace != "" {
		request.Header.Set(xray.Header, trace)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", c.url, response.Status)
	}
	var body struct {
		Time string `json:"time"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&body); err != nil {
		return "", fmt.Errorf("%s: %w", c.url, err)
	}
	if _, err := time.Parse(time.RFC3339, body.Time); err != nil {
		return "", fmt.Errorf("%s: %w", c.url, err)
	}
	return body.Time, nil
}

// sender is the part of *sqs.Client that a sqsQueue uses.
type sender interface {
	SendMessage(ctx context.Context, in *sqs.SendMessageInput, opts ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// sqsQueue sends to one SQS queue.
type sqsQueue struct {
	url    string
	client sender
}

func newSQSQueue(ctx context.Context, queueURL string) (*sqsQueue, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("AWS_REGION is not set: the region of the queue QUEUE01 is needed")
	}
	return &sqsQueue{url: queueURL, client: sqs.NewFromConfig(cfg)}, nil
}

// Send implements queue.
func (q *sqsQueue) Send(ctx context.Context, body string) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, queueTimeout)
	defer cancel()
	call := xray.FromContext(ctx).Call("SQS", "aws")
	defer func() { call.Close(err) }()

	in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body}
	if trace := call.Trace(); trace != "" {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {
				DataType: aws.String("String"), StringValue: &trace,
			},
		}
	}
	out, err := q.client.SendMessage(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.MessageId), nil
}

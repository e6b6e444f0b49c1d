package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// Region is the region of the queues of Moto.
const Region = "eu-west-1"

var motoAddress = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// Moto starts a moto_server, an emulator of SQS, on a free port of this machine, and returns
// its endpoint, such as http://127.0.0.1:40019. The server ends with the test. Moto fails
// the test if the tools of `make venv` are missing.
func Moto(t testing.TB) (endpoint string) {
	t.Helper()
	return Serve(t, nil, "moto_server", "-H", "127.0.0.1", "-p", "0")
}

// Serve starts a program of the Python environment of the tests that is based on moto, as
// Moto starts moto_server, with env added to its environment.
func Serve(t testing.TB, env map[string]string, program string, args ...string) (endpoint string) {
	t.Helper()
	root, err := Repository()
	if err != nil {
		t.Fatal(err)
	}
	server := filepath.Join(root, ".venv", "bin", program)
	if _, err := os.Stat(server); err != nil {
		t.Fatalf("%s is missing: run `make venv` (it installs test/e2e/requirements.txt)", server)
	}
	base := map[string]string{"PATH": os.Getenv("PATH"), "PYTHONUNBUFFERED": "1"}
	p := start(t, server, args, environ(union([]map[string]string{base, env})))
	for deadline := time.Now().Add(hangs); ; time.Sleep(20 * time.Millisecond) {
		if match := motoAddress.FindStringSubmatch(p.Output()); match != nil {
			endpoint = match[1]
			break
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended: %v\n%s", program, p.err, p.Output())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not start:\n%s", program, p.Output())
		}
	}
	p.waitFor(t, endpoint+"/moto-api/")
	return endpoint
}

// CreateQueue makes a queue and returns its URL.
func CreateQueue(t testing.TB, endpoint, name string) (url string) {
	t.Helper()
	var out struct {
		QueueURL string `json:"QueueUrl"`
	}
	callSQS(t, endpoint, "CreateQueue", map[string]any{"QueueName": name}, &out)
	return out.QueueURL
}

// Message is one message of a queue.
type Message struct {
	ID    string `json:"MessageId"`
	Body  string `json:"Body"`
	Trace string `json:"-"` // the X-Ray trace that it belongs to, if any
}

// ReceiveMessages returns up to ten messages of the queue, and does not wait for any.
func ReceiveMessages(t testing.TB, endpoint, queueURL string) []Message {
	t.Helper()
	return receive(t, endpoint, queueURL, map[string]any{})
}

// ReceiveInVain receives messages as a consumer that fails at once: they become visible
// again, until the queue moves them to its dead-letter queue.
func ReceiveInVain(t testing.TB, endpoint, queueURL string) []Message {
	t.Helper()
	return receive(t, endpoint, queueURL, map[string]any{"VisibilityTimeout": 0})
}

func receive(t testing.TB, endpoint, queueURL string, in map[string]any) []Message {
	t.Helper()
	maps.Copy(in, map[string]any{
		"QueueUrl": queueURL, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": []string{"All"}, "AttributeNames": []string{"All"},
	})
	var out struct {
		Messages []struct {
			Message
			Attributes map[string]string
		}
	}
	callSQS(t, endpoint, "ReceiveMessage", in, &out)
	messages := make([]Message, 0, len(out.Messages))
	for _, m := range out.Messages {
		m.Trace = m.Attributes["AWSTraceHeader"]
		messages = append(messages, m.Message)
	}
	return messages
}

// callSQS sends a request in the JSON protocol of SQS. Moto takes any signature and reads
// the service and the region from it.
func callSQS(t testing.TB, endpoint, action string, in map[string]any, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/"+Region+
		"/sqs/aws4_request, SignedHeaders=host, Signature=local")
	if queue, ok := in["QueueUrl"].(string); ok { // the account that the queue belongs to
		request.Header.Set("X-Moto-Account-Id", path.Base(path.Dir(queue)))
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", action, response.Status, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s: %v: %s", action, err, answer)
	}
}

// Repository returns the root folder of this module.
func Repository() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module composecdk\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the module composecdk", wd)
		}
	}
}

package manifests

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binary is a program of ours, built by `just programs` before the tests run.
func binary(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("CARGO_TARGET_DIR")
	if folder == "" {
		folder = "../../target"
	}
	file, err := filepath.Abs(filepath.Join(folder, "debug", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%s is not built: just programs", name)
	}
	return file
}

// running starts a program on a free port and stops it with the test; get asks it.
type running struct{ address string }

func start(t *testing.T, name string, arguments func(address string) []string) running {
	t.Helper()
	address := freeURL(t)
	command := exec.Command(name, arguments(address.Host)...)
	command.Dir = t.TempDir()
	if err := command.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		connection, err := net.DialTimeout("tcp", address.Host, time.Second)
		if err == nil {
			connection.Close()
			return running{address.String()}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen", name)
		}
	}
}

func (r running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get(r.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func startPrescale(t *testing.T, prometheus string) running {
	t.Helper()
	grpc := freeURL(t)
	return start(t, binary(t, "prescale"), func(address string) []string {
		return []string{"serve", "--prometheus=" + prometheus, "--grpc-address=" + grpc.Host, "--http-address=" + address}
	})
}

package manifests

import (
	"context"
	"io"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app/testing"
)

// startCluster runs etcd and a kube-apiserver in this process: admission and validation are the real ones, nothing is scheduled.
func startCluster(t *testing.T) *rest.Config {
	t.Helper()
	// thousands of lines that tell nothing of the manifests
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	endpoint := startEtcd(t)
	storage := storagebackend.NewDefaultConfig("/prescale", nil)
	storage.Transport.ServerList = []string{endpoint}
	flags := []string{
		// the quota's use is counted by a controller that does not run here; pods are measured in a test of their own
		"--disable-admission-plugins=ResourceQuota",
		"--authorization-mode=RBAC",
	}
	server := apiserver.StartTestServerOrDie(t, apiserver.NewDefaultTestServerOptions(), flags, storage)
	t.Cleanup(server.TearDownFn)
	server.ClientConfig.QPS = 1000
	server.ClientConfig.Burst = 1000
	return server.ClientConfig
}

func startEtcd(t *testing.T) string {
	t.Helper()
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	config.UnsafeNoFsync = true
	client, peer := freeURL(t), freeURL(t)
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(etcd.Close)
	select {
	case <-etcd.Server.ReadyNotify():
	case <-time.After(time.Minute):
		t.Fatal("etcd is not ready")
	}
	return client.String()
}

func freeURL(t *testing.T) url.URL {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	return url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
}

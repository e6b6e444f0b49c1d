package compose

import "testing"

// A task must get the smallest size of Fargate that holds its containers.
func TestFitTask(t *testing.T) {
	for _, c := range []struct {
		cpu, memory         int
		wantCPU, wantMemory int
	}{
		{0, 0, 256, 512},
		{256, 513, 256, 1024},
		{257, 0, 512, 1024},
		{256, 2049, 512, 3072},
		{512, 2048, 512, 2048},
		{4096, 8192, 4096, 8192},
		{4096, 31 * gib, 8192, 32 * gib},
		{8192, 59 * gib, 8192, 60 * gib},
		{0, 61 * gib, 16384, 64 * gib},
		{16384, 120 * gib, 16384, 120 * gib},
	} {
		cpu, memory, ok := fitTask(c.cpu, c.memory)
		if !ok || cpu != c.wantCPU || memory != c.wantMemory {
			t.Errorf("%d/%d: got %d/%d %v, want %d/%d", c.cpu, c.memory, cpu, memory, ok, c.wantCPU, c.wantMemory)
		}
	}
	for _, c := range [][2]int{{16385, 0}, {0, 120*gib + 1}} {
		if _, _, ok := fitTask(c[0], c[1]); ok {
			t.Errorf("%v fits, but Fargate has nothing that large", c)
		}
	}
}

// The X-Ray daemon's reservations must count, and the larger of limit and
// reservation.
func TestSizeOfFamily(t *testing.T) {
	m := mustFamilies(t, `
services:
  app:
    image: nginx
    x-xray: true
    deploy: {resources: {limits: {cpus: "0.25", memory: 512M}, reservations: {memory: 256M}}}
  plain:
    image: nginx
  half:
    image: nginx
    deploy: {resources: {limits: {cpus: "0.5", memory: 2048M}}}
`)
	want := map[string][2]int{"app": {512, 1024}, "plain": {256, 512}, "half": {512, 2048}}
	for _, f := range m.Families {
		if got := [2]int{f.CPU, f.Memory}; got != want[f.Name] {
			t.Errorf("%s: %v, want %v", f.Name, got, want[f.Name])
		}
	}
}

// The sizes must be those of AWS:
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
func TestTaskSizes(t *testing.T) {
	for i, want := range []struct{ cpu, least, most, count int }{
		{256, 512, 2048, 3},
		{512, 1024, 4096, 4},
		{1024, 2048, 8192, 7},
		{2048, 4096, 16384, 13},
		{4096, 8192, 30720, 23},
		{8192, 16384, 61440, 12},
		{16384, 32768, 122880, 12},
	} {
		got := taskSizes[i]
		if got.cpu != want.cpu || len(got.memory) != want.count || got.memory[0] != want.least || got.memory[len(got.memory)-1] != want.most {
			t.Errorf("got %v, want %+v", got, want)
		}
	}
	if len(taskSizes) != 7 {
		t.Errorf("got %d sizes of CPU", len(taskSizes))
	}
}

package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// taskSize is a number of CPU units and the amounts of memory, in MiB, that
// Fargate gives with it.
type taskSize struct {
	cpu    int
	memory []int // ascending
}

const gib = 1024 // MiB

// taskSizes are all the sizes of Fargate tasks, smallest first.
var taskSizes = []taskSize{
	{256, []int{512, 1 * gib, 2 * gib}},
	{512, steps(1*gib, 4*gib, gib)},
	{1024, steps(2*gib, 8*gib, gib)},
	{2048, steps(4*gib, 16*gib, gib)},
	{4096, steps(8*gib, 30*gib, gib)},
	{8192, steps(16*gib, 60*gib, 4*gib)},
	{16384, steps(32*gib, 120*gib, 8*gib)},
}

// What the X-Ray daemon reserves in a family that is traced.
const (
	daemonCPU    = 32
	daemonMemory = 256
)

// windowsCPU is the least that a Windows task has.
const windowsCPU = 1024

func steps(from, to, by int) []int {
	var all []int
	for n := from; n <= to; n += by {
		all = append(all, n)
	}
	return all
}

// fitTask returns the smallest task that has the CPU units and the MiB of memory.
func fitTask(cpu, memory int) (taskCPU, taskMemory int, ok bool) {
	for _, size := range taskSizes {
		if size.cpu < cpu {
			continue
		}
		if i := slices.IndexFunc(size.memory, func(m int) bool { return m >= memory }); i >= 0 {
			return size.cpu, size.memory[i], true
		}
	}
	return 0, 0, false
}

// size chooses the task size of a family from what its containers ask for. The
// proxy that ECS adds for Service Connect shares what they leave.
func (r *resolver) size(f *Family) {
	cpu, memory := 0, 0
	var parts []string
	for _, c := range f.Containers {
		m := max(c.MemoryLimit, c.MemoryReservation)
		cpu += c.CPU
		memory += m
		parts = append(parts, fmt.Sprintf("%s %d/%d", c.Name, c.CPU, m))
	}
	if f.Tracing != nil {
		cpu += daemonCPU
		memory += daemonMemory
		parts = append(parts, fmt.Sprintf("X-Ray daemon %d/%d", daemonCPU, daemonMemory))
	}
	if f.OperatingSystem != "LINUX" {
		cpu = max(cpu, windowsCPU)
	}
	var ok bool
	if f.CPU, f.Memory, ok = fitTask(cpu, memory); ok {
		r.tmpfsFits(f)
		return
	}
	largest := taskSizes[len(taskSizes)-1]
	f.CPU, f.Memory = largest.cpu, largest.memory[len(largest.memory)-1]
	r.Add(Error, f.Path.Key("deploy").Key("resources"), "task-size",
		fmt.Sprintf("the largest task has %d CPU units and %d MiB", f.CPU, f.Memory),
		fmt.Sprintf("family %q needs %d CPU units and %d MiB of memory, more than a Fargate task has (%s)",
			f.Name, cpu, memory, strings.Join(parts, ", ")))
}

// tmpfsFits reports memory file systems that the task has no memory for.
func (r *resolver) tmpfsFits(f *Family) {
	all := 0
	for _, c := range f.Containers {
		for _, t := range c.Tmpfs {
			all += t.Size
			if all > f.Memory {
				r.Add(Error, c.Path.Key("tmpfs"), "tmpfs-size", "reserve more memory below deploy.resources, or make them smaller",
					fmt.Sprintf("the memory file systems of family %q take %d MiB, but its tasks have %d MiB", f.Name, all, f.Memory))
				return
			}
		}
	}
}

// reserve reads how much CPU and memory a container asks for.
func (r *resolver) reserve(path Path, s types.ServiceConfig, c *Container) {
	var limits, reservations types.Resource
	if s.Deploy != nil && s.Deploy.Resources.Limits != nil {
		limits = *s.Deploy.Resources.Limits
	}
	if s.Deploy != nil && s.Deploy.Resources.Reservations != nil {
		reservations = *s.Deploy.Resources.Reservations
	}
	if s.CPUS < 0 {
		r.Errorf(path.Key("cpus"), "amount", "%g is not a number of CPUs", s.CPUS)
	}
	for _, m := range []struct {
		key    string
		amount types.UnitBytes
	}{{"mem_limit", s.MemLimit}, {"mem_reservation", s.MemReservation}} {
		if m.amount < 0 {
			r.Errorf(path.Key(m.key), "amount", "%d is not an amount of memory", m.amount)
		}
	}
	vcpu := max(float64(limits.NanoCPUs), float64(reservations.NanoCPUs), float64(s.CPUS))
	c.CPU = ceil(vcpu * 1024)
	c.MemoryLimit = mebibytes(max(limits.MemoryBytes, s.MemLimit))
	c.MemoryReservation = mebibytes(max(reservations.MemoryBytes, s.MemReservation))
	if c.MemoryLimit > 0 && c.MemoryReservation > c.MemoryLimit {
		r.Errorf(path, "memory-reservation", "the memory reservation of %d MiB is more than the limit of %d MiB",
			c.MemoryReservation, c.MemoryLimit)
	}
	const least = 6 // MiB, less does not start a container
	for _, m := range []*int{&c.MemoryLimit, &c.MemoryReservation} {
		if *m > 0 && *m < least {
			r.Warnf(path, "clamped", "%d MiB of memory is less than a container needs to start, and becomes %d", *m, least)
			*m = least
		}
	}
}

// ceil rounds up what is not a whole number but for the noise of a float32.
func ceil(x float64) int {
	n := int(x)
	if x-float64(n) > 1e-4 {
		n++
	}
	return n
}

// mebibytes rounds bytes up.
func mebibytes(b types.UnitBytes) int {
	const mib = 1024 * 1024
	return int(b/mib + min(1, b%mib))
}

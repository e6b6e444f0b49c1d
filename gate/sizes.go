package gate

import (
	"slices"
	"strings"
)

// units parses a task size, as in 512, "512", "1 GB" or ".5 vCPU".
func (t task) units(property, unit string) (float64, bool) {
	v := t.Stack.settle(t.Properties[property])
	if n, ok := number(v); ok {
		return n, true
	}
	text := strings.TrimSpace(strings.ToUpper(word(v)))
	amount, has := strings.CutSuffix(text, strings.ToUpper(unit))
	n, ok := number(strings.TrimSpace(amount))
	return n * 1024, has && ok
}

func fits(t task, found *report) {
	memory, limited := t.units("Memory", "GB")
	var reserved, cpu float64
	alone := false // one container alone is too much
	for _, c := range t.containers {
		name := word(c["Name"])
		most, hard := number(c["Memory"])
		least, soft := number(c["MemoryReservation"])
		switch {
		case hard && most < 4:
			found.on(t.Resource, "container %q has a limit of %v MiB of memory, and ECS takes 4 at least", name, most)
		case limited && hard && most > memory:
			alone = true
			found.on(t.Resource, "container %q may use %v MiB of memory, and the task has %v", name, most, memory)
		case hard && soft && least > most:
			found.on(t.Resource, "container %q reserves %v MiB of memory, above its own limit of %v", name, least, most)
		case t.Properties["Memory"] == nil && c["Memory"] == nil && c["MemoryReservation"] == nil:
			found.on(t.Resource, "container %q has neither Memory nor MemoryReservation, and the task no Memory: ECS asks for one of them", name)
		}
		if !soft {
			least = most
		}
		reserved += least
		units, _ := number(c["Cpu"])
		cpu += units
	}
	if limited && !alone && reserved > memory {
		found.on(t.Resource, "its containers reserve %v MiB of memory together, and the task has %v", reserved, memory)
	}
	if units, ok := t.units("Cpu", "vCPU"); ok && cpu > units {
		found.on(t.Resource, "its containers reserve %v CPU units together, and the task has %v", cpu, units)
	}
}

// fargateSizes lists the CPU units of Fargate tasks, with the least and the most memory and
// its step in MiB. Up to the largest CPU listed the table is complete; AWS may add larger
// ones.
var fargateSizes = []struct{ cpu, least, most, step float64 }{
	{256, 512, 1024, 512},
	{256, 2048, 2048, 1024},
	{512, 1024, 4096, 1024},
	{1024, 2048, 8192, 1024},
	{2048, 4096, 16384, 1024},
	{4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096},
	{16384, 32768, 122880, 8192},
}

func fargateMemory(cpu float64) []float64 {
	var amounts []float64
	for _, size := range fargateSizes {
		for amount := size.least; size.cpu == cpu && amount <= size.most; amount += size.step {
			amounts = append(amounts, amount)
		}
	}
	return amounts
}

func fargateSize(t task, found *report) {
	if !t.requiresFargate() {
		return
	}
	if mode, ok := literal(t.Properties["NetworkMode"]); (ok && mode != "awsvpc") || t.Properties["NetworkMode"] == nil {
		found.on(t.Resource, "its network mode is %q, and Fargate takes \"awsvpc\" only", mode)
	}
	for _, property := range []string{"Cpu", "Memory"} {
		if t.Properties[property] == nil {
			found.on(t.Resource, "it has no %s, and Fargate asks for one", property)
		}
	}
	cpu, ok := t.units("Cpu", "vCPU")
	memory, also := t.units("Memory", "GB")
	if !ok || !also || cpu > fargateSizes[len(fargateSizes)-1].cpu {
		return
	}
	allowed := fargateMemory(cpu)
	switch {
	case len(allowed) == 0:
		found.on(t.Resource, "it has %v CPU units, which is no size of Fargate", cpu)
	case !slices.Contains(allowed, memory):
		found.on(t.Resource, "it has %v CPU units and %v MiB of memory: for that CPU Fargate takes %v", cpu, memory, allowed)
	}
}

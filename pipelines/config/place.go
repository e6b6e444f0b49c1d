package config

import "composecdk/compose"

// Pos returns where a value is written; a configuration that was not read has no places.
func (c *Config) Pos(path compose.Path) compose.Pos {
	if c.document == nil {
		return compose.Pos{File: c.File}
	}
	return c.document.Pos(path)
}

// Groups returns the groups of applications by the family of their service.
func (c *Config) Groups(m *compose.Model) map[string]string {
	of := map[string]string{}
	for _, a := range c.Apps {
		of[a.Service] = a.Group
	}
	groups := map[string]string{}
	for _, f := range m.Families {
		for _, container := range f.Containers {
			if group := of[container.Service]; group != "" {
				groups[f.Name] = group
			}
		}
	}
	return groups
}

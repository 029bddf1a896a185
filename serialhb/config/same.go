package config

import "reflect"

// Changed names what of a configuration a running daemon cannot take over from another one, in words. Where things stand
// in the file is no change.
func (c *Config) Changed(old *Config) (what []string) {
	for _, part := range []struct {
		name     string
		now, was any
	}{
		{"links", c.Links, old.Links},
		{"fence devices", c.Fences, old.Fences},
		{"resources", c.Groups, old.Groups},
		{"interval and detect_multiplier", [2]any{c.Timing.Interval, c.Timing.DetectMultiplier}, [2]any{old.Timing.Interval, old.Timing.DetectMultiplier}},
		{"health_every", c.Timing.HealthEvery, old.Timing.HealthEvery},
		{"state_dir and run_dir", [2]string{c.StateDir, c.RunDir}, [2]string{old.StateDir, old.RunDir}},
		{"log format", c.Log.Format, old.Log.Format},
	} {
		if !alike(reflect.ValueOf(part.now), reflect.ValueOf(part.was)) {
			what = append(what, part.name)
		}
	}
	return what
}

// alike compares values but for places.
func alike(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[place]() {
			return true
		}
		for i := range a.NumField() {
			if !alike(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return alike(a.Elem(), b.Elem())
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !alike(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if v := b.MapIndex(k); !v.IsValid() || !alike(a.MapIndex(k), v) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

package failover

import (
	"reflect"
	"strings"
	"testing"
)

// leafs gives every number and every yes or no of a value.
func leafs(path string, v reflect.Value, f func(path string, leaf reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			leafs(path+"."+v.Type().Field(i).Name, v.Field(i), f)
		}
	case reflect.Array:
		for i := range v.Len() {
			leafs(path+"["+string(rune('0'+i))+"]", v.Index(i), f)
		}
	default:
		f(path, v)
	}
}

// What settle does not see moving is taken for at rest.
func TestEqualsSeesWhateverMoves(t *testing.T) {
	c := &Config{N: 3, G: 2}
	var s, other State
	seen := 0
	leafs("", reflect.ValueOf(&s).Elem(), func(path string, leaf reflect.Value) {
		outside := strings.HasPrefix(path, ".Peers[3]") || strings.HasPrefix(path, ".Groups[") && path[len(".Groups[")] > '1'
		switch leaf.Kind() {
		case reflect.Bool:
			leaf.SetBool(true)
		default:
			leaf.SetUint(1)
		}
		if s.equals(c, &other) != outside {
			t.Errorf("%s moves: equal %v", path, !outside)
		}
		s.copyTo(c, &other)
		if !s.equals(c, &other) {
			t.Errorf("%s is not copied", path)
		}
		leaf.SetZero()
		other = State{}
		seen++
	})
	if seen < 500 {
		t.Errorf("only %d fields were moved", seen)
	}
}

package periph

import (
	"errors"
	"os"
	"slices"

	pgpio "periph.io/x/conn/v3/gpio"

	"golang.org/x/sys/unix"
	"periph.io/x/host/v3"
)

// mappedDrivers are those whose read is a load from a register: it cannot fail, and it changes nothing.
var mappedDrivers = []string{"periph.io/x/host/v3/bcm283x", "periph.io/x/host/v3/allwinner"}

func mapped(p pgpio.PinIO) bool { return slices.Contains(mappedDrivers, origin(p)) }

// startDrivers runs the drivers with descriptor 0 guarded: where two device nodes are the same chip one driver closes
// it, and whatever is opened next would take its place.
func startDrivers() error {
	return guard(func() error {
		_, err := host.Init()
		return err
	})
}

func guard(start func() error) (err error) {
	if err := fill(); err != nil {
		return err
	}
	saved, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore(saved), unix.Close(saved)) }()
	return start()
}

// fill opens descriptor 0 if the program was started without it, so that nothing important lands there.
func fill() error {
	_, err := unix.FcntlInt(0, unix.F_GETFD, 0)
	if !errors.Is(err, unix.EBADF) {
		return err
	}
	fd, err := unix.Open(os.DevNull, unix.O_RDWR, 0)
	if err != nil || fd == 0 {
		return err
	}
	return errors.Join(unix.Dup3(fd, 0, 0), unix.Close(fd))
}

func restore(saved int) error {
	var now, before unix.Stat_t
	if err := unix.Fstat(saved, &before); err != nil {
		return err
	}
	err := unix.Fstat(0, &now)
	if err == nil && now.Dev == before.Dev && now.Ino == before.Ino {
		return nil
	}
	return unix.Dup3(saved, 0, 0)
}

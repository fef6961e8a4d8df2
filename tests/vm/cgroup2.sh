#!/bin/sh
# Runs tests/unit/test_payload_cgroup in a small virtual machine whose control
# groups are of version 2 with every controller, because most machines that
# build Sortie have none that a test may write.  Four times: as root and as an
# ordinary user, in a service to which its group is delegated and in one to
# which it is not.
#
# usage: tests/vm/cgroup2.sh BUILD-DIRECTORY
#
# Writes TAP.  Needs Debian on x86-64, root, qemu-system-x86_64, mmdebstrap,
# mke2fs, a Debian mirror and about 2 GB below TMPDIR; takes one to
# two minutes.  SORTIE_TEST_VM=DIR keeps the guest's files there: half a minute.
set -eu

packages=linux-image-cloud-amd64,systemd-sysv,initramfs-tools
boot_timeout=300

skip()
{
	echo "1..0 # SKIP $*"
	exit 77
}

fail()
{
	echo "Bail out! $*"
	exit 99
}

[ $# = 1 ] || {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
program=$1/tests/unit/test_payload_cgroup
for tool in qemu-system-x86_64 mmdebstrap mke2fs; do
	command -v $tool >/dev/null || skip "no $tool here"
done
[ "$(uname -m)" = x86_64 ] || skip "the guest is an x86-64 one"
# The guest is of the host's release: it runs the host's programs.
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
grep -qx 'ID=debian' /etc/os-release || release=
[ -n "$release" ] || skip "this is no release of Debian"
[ "$(id -u)" = 0 ] || skip "only root can make the guest's files"
[ -x "$program" ] || fail "$program is not built"

work=$(mktemp -d "${TMPDIR:-/tmp}/sortie-vm.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 99' INT TERM HUP
vm=${SORTIE_TEST_VM:-$work/vm}

# service NAME AFTER KIND LINE...: the test program as a unit that expects KIND.
service()
{
	name=$1 after=$2 kind=$3
	shift 3
	{
		printf '[Unit]\nAfter=%s\n[Service]\nType=oneshot\n' "$after"
		printf 'Environment=SORTIE_TEST_CGROUPS=%s\n' "$kind"
		printf 'Environment=LD_LIBRARY_PATH=/opt/lib\n'
		printf 'StandardOutput=file:/dev/ttyS0\nStandardError=inherit\n'
		printf 'ExecStart=/opt/test_payload_cgroup\n'
		printf '%s\n' "$@"
		printf '[Install]\nWantedBy=multi-user.target\n'
	} >"$vm/etc/systemd/system/$name.service"
	ln -sf "../$name.service" \
		"$vm/etc/systemd/system/multi-user.target.wants/$name.service"
}

make_guest()
{
	[ -e "$vm/etc/debian_version" ] ||
		mmdebstrap --quiet --variant=minbase \
			--include="$packages" "$release" "$vm" \
			>"$work/mmdebstrap.log" 2>&1 || {
		sed 's/^/# /' "$work/mmdebstrap.log" | tail -n 20
		fail "mmdebstrap made no guest"
	}
	install -D -m 755 "$program" "$vm/opt/test_payload_cgroup"
	ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' |
		while read -r library; do
			[ -e "$vm$library" ] || install -D "$library" \
				"$vm/opt/lib/${library##*/}"
		done
	service root basic.target v2 Delegate=yes
	service user root.service v2 Delegate=yes User=nobody
	service root-plain user.service none
	service user-plain root-plain.service none User=nobody
	# Nothing is left to do after the last one, however it ends.
	sed -i '/^\[Unit\]/a SuccessAction=poweroff-force\nFailureAction=poweroff-force' \
		"$vm/etc/systemd/system/user-plain.service"
	# The serial line is the tests' alone.
	ln -sf /dev/null "$vm/etc/systemd/system/serial-getty@ttyS0.service"
	mke2fs -q -t ext4 -d "$vm" "$work/vm.img" 1500M >"$work/mke2fs.log" 2>&1 ||
		fail "mke2fs: $(cat "$work/mke2fs.log")"
}

boot()
{
	timeout "$boot_timeout" qemu-system-x86_64 -accel tcg,thread=multi \
		-m 1024 -display none -no-reboot -monitor none \
		-serial "file:$work/serial" \
		-kernel "$vm"/boot/vmlinuz-* -initrd "$vm"/boot/initrd.img-* \
		-append "root=/dev/vda rw console=tty0 quiet" \
		-drive "file=$work/vm.img,format=raw,if=virtio,cache=unsafe" \
		>"$work/qemu.log" 2>&1 || true
	tr -d '\r' <"$work/serial" >"$work/tap"
}

make_guest
boot
# Four programs on one line: their tests are counted through.
awk '/^(not )?ok / { n++; sub(/ok [0-9]+/, "ok " n) }
	/^1\.\./ { plans++; planned += substr($0, 4); next }
	/^((not )?ok |#|Bail)/ { print }
	END { print "1.." planned; exit plans != 4 || n != planned }' "$work/tap" || {
	sed 's/^/# /' "$work/qemu.log" "$work/tap" | tail -n 30
	fail "the guest did not run all tests"
}
! grep -q '^not ok' "$work/tap"

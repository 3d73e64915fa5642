"""A machine's /proc and /sys as a fixture tree: two CPUs, one disk, one network device."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "proc/stat": """\
cpu  300 0 150 1000 20 0 5 1 10 0
cpu0 100 0 50 500 10 0 5 1 10 0
cpu1 200 0 100 500 10 0 0 0 0 0
intr 123456 1 2 3
ctxt 7890
btime 1700000000
processes 4321
procs_running 3
procs_blocked 1
softirq 99 1 2
""",
    "proc/loadavg": "0.52 1.25 2.00 3/456 7890\n",
    "proc/meminfo": """\
MemTotal:        2048 kB
MemFree:          512 kB
MemAvailable:    1024 kB
Active(anon):     100 kB
HugePages_Total:    4
NewInLinux7:        8 kB
""",
    "proc/vmstat": "pgfault 1000\nnr_free_pages 77\noom_kill 2\n",
    "proc/pressure/cpu": (
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    ),
    "proc/pressure/memory": (
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=250000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=125000\n"
    ),
    "proc/pressure/io": (
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=4000000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=3000000\n"
    ),
    "proc/diskstats": (
        " 8 0 sda 10 1 200 30 20 2 400 60 1 70 90 5 0 800 9 4 6\n"
        " 8 1 sda1 10 1 200 30 20 2 400 60 1 70 90 5 0 800 9 4 6\n"
        " 7 0 loop0 1 0 2 0 0 0 0 0 0 0 0\n"
        " 253 0 dm-0 3 0 16 1 0 0 0 0 0 2 2\n"
    ),
    "proc/net/netstat": (
        "TcpExt: SyncookiesSent ListenDrops Unheard\nTcpExt: 1 2 3\n"
        "IpExt: InOctets OutOctets\nIpExt: 400 500\n"
    ),
    "proc/net/snmp": "Tcp: CurrEstab RetransSegs\nTcp: 6 7\nUdp: NoPorts\nUdp: 8\n",
    "proc/net/snmp6": "Ip6InOctets 90\nUdp6NoPorts 1\nUdpLite6InErrors 2\nIcmp6InMsgs 3\n",
    "proc/net/sockstat": "sockets: used 80\nTCP: inuse 5 orphan 0 tw 1 alloc 6 mem 2\n",
    "proc/net/sockstat6": "TCP6: inuse 4\n",
    "proc/schedstat": (
        "version 15\ntimestamp 1\n"
        "cpu0 0 0 0 0 0 0 2000000000 500000000 77\ndomain0 3 0 0\n"
        "cpu1 0 0 0 0 0 0 4000000000 250000000 88\n"
    ),
    "proc/net/softnet_stat": (
        "0000000a 00000001 00000002 0 0 0 0 0 00000003 00000004 00000005 00000006 00000000\n"
        "000000ff 00000000 00000000 0 0 0 0 0 00000000 00000000 00000000 00000000 00000002\n"
    ),
    "proc/net/udp": (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n"
        "   1: 0100007F:0035 00000000:0000 07 00000010:00000020 00:00000000\n"
        "   2: 0100007F:0036 00000000:0000 07 00000001:00000002 00:00000000\n"
    ),
    "proc/net/arp": (
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "10.0.0.1         0x1         0x2         02:00:00:00:00:02     *        eth0\n"
        "10.0.0.3         0x1         0x2         02:00:00:00:00:03     *        eth0\n"
    ),
    "proc/net/stat/nf_conntrack": (
        "entries  searched found new invalid ignore delete insert drop search_restart\n"
        "0000000a 00000000 00000001 00000000 00000002 0 0 0 00000003 0\n"
        "0000000a 00000000 00000002 00000000 00000000 0 0 0 00000004 0\n"
    ),
    "proc/sys/net/netfilter/nf_conntrack_count": "10\n",
    "proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
    "proc/42/stat": f"42 (a (very) odd) name) S 1 1 1 0 -1 4194560 {'0 ' * 10}3 0 100\n",
    "proc/43/stat": f"43 (idle) I 2 0 0 0 -1 69238880 {'0 ' * 10}1 0 100\n",
    "proc/sys/kernel/pid_max": "32768\n",
    "proc/sys/kernel/threads-max": "192731\n",
    "proc/mdstat": """\
Personalities : [raid1] [raid6] [raid5] [raid4]
md0 : active raid1 sdb1[1](F) sda1[0]
      1000 blocks super 1.2 [2/1] [U_]

md1 : active raid5 sdd1[3] sdc1[1] sdb2[0] sde1[4](S)
      3000 blocks super 1.2 level 5, 512k chunk, algorithm 2 [3/2] [UU_]
      [=>...................]  recovery =  8.5% (255/3000) finish=12.0min speed=259K/sec

md2 : inactive sdf1[0](S)
      500 blocks super 1.2

unused devices: <none>
""",
    "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
    "sys/class/thermal/thermal_zone0/temp": "45500\n",
    "sys/class/thermal/thermal_zone1/type": "broken\n",
    "sys/class/thermal/cooling_device0/type": "Processor\n",
    "sys/class/thermal/cooling_device0/cur_state": "1\n",
    "sys/class/thermal/cooling_device0/max_state": "10\n",
    "sys/devices/system/edac/mc/mc0/ce_count": "3\n",
    "sys/devices/system/edac/mc/mc0/ue_count": "1\n",
    "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/class/net/bonding_masters": "bond0\n",
    "sys/class/net/bond0/bonding/slaves": "eth1 eth2\n",
    "sys/class/net/bond0/lower_eth1/bonding_slave/mii_status": "up\n",
    "sys/class/net/bond0/lower_eth2/bonding_slave/mii_status": "down\n",
    "etc/os-release": (
        'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12.5"\n# a comment\n\n'
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
    ),
    "run/udev/data/b8:0": "E:ID_MODEL=SSD_1\nE:ID_SERIAL_SHORT=S1\nE:ID_PATH=pci-0\n",
    "proc/sys/fs/file-nr": "1024\t0\t9223372036854775807\n",
    "proc/sys/kernel/random/entropy_avail": "256\n",
    "proc/sys/kernel/random/poolsize": "256\n",
    "proc/sys/kernel/hostname": "node-a\n",
    "proc/sys/kernel/ostype": "Linux\n",
    "proc/sys/kernel/osrelease": "6.1.0\n",
    "proc/sys/kernel/version": "#1 SMP\n",
    "proc/sys/kernel/arch": "x86_64\n",
    "proc/sys/kernel/domainname": "(none)\n",
    "proc/1/mountinfo": (
        "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
        "23 22 0:20 / /proc rw - proc proc rw\n"
        "24 22 0:21 / /mnt/a\\040disk ro,noatime shared:2 - xfs /dev/vdb ro\n"
        "25 22 0:22 / /mnt/gone rw - nfs4 server:/export rw\n"
        "26 22 0:23 / /dev/shm rw - tmpfs tmpfs rw\n"
    ),
    "sys/class/net/eth0/addr_assign_type": "3\n",
    "sys/class/net/eth0/dev_id": "0x0\n",
    "sys/class/net/eth0/duplex": "full\n",
    "sys/class/net/eth0/speed": "1000\n",
    "sys/class/net/lo/speed": "-1\n",
    "mnt/a disk/.keep": "",
}


def build(directory: Path) -> dict[str, str]:
    """Write the tree and return the paths as HostSettings names them."""
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {
        "proc": str(directory / "proc"),
        "sys": str(directory / "sys"),
        "root": str(directory),
    }

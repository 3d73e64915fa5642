"""A machine's /proc and /sys as a fixture tree: two CPUs, one disk, one network device, sensors."""

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
softirq 99 1 2 3 4 5 6 7 8 9 10
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
    "proc/pressure/irq": "full avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n",
    "proc/interrupts": (
        "           CPU0       CPU1\n"
        " 24:          1          7  IO-APIC   5-edge      ACPI:Ged\n"
        "NMI:          2          3   Non-maskable interrupts\n"
        "ERR:          9\n"
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
        "   1: 0100007F:0035 00000000:0000 07 00000010:00000020 00:00000000 00000000 0 0 9 2 0 0\n"
        "   2: 0100007F:0036 00000000:0000 07 00000001:00000002 00:00000000 00000000 0 0 9 2 0 0\n"
    ),
    "proc/net/arp": (
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "10.0.0.1         0x1         0x2         02:00:00:00:00:02     *        eth0\n"
        "10.0.0.3         0x1         0x2         02:00:00:00:00:03     *        eth0\n"
    ),
    "proc/net/stat/nf_conntrack": (
        "entries  searched found new invalid ignore delete delete_list insert insert_failed drop "
        "early_drop icmp_error  expect_new expect_create expect_delete search_restart\n"
        "0000000a 00000000 00000001 00000000 00000002 0 0 0 0 0 00000003 0 0 0 0 0 0\n"
        "0000000a 00000000 00000002 00000000 00000000 0 0 0 0 0 00000004 0 0 0 0 0 0\n"
    ),
    "proc/sys/net/netfilter/nf_conntrack_count": "10\n",
    "proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
    "proc/42/stat": f"42 (a (very) odd) name) S 1 1 1 0 -1 4194560 {'0 ' * 10}3 0 100{' 0' * 30}\n",
    "proc/42/task/42/stat": f"42 (main) S 1 1 1 0 -1 4194560 {'0 ' * 10}3 0 100{' 0' * 30}\n",
    "proc/42/task/44/stat": f"44 (busy) R 1 1 1 0 -1 4194560 {'0 ' * 10}3 0 100{' 0' * 30}\n",
    "proc/42/task/45/stat": f"45 (idle) S 1 1 1 0 -1 4194560 {'0 ' * 10}3 0 100{' 0' * 30}\n",
    "proc/43/stat": f"43 (idle) I 2 0 0 0 -1 69238880 {'0 ' * 10}1 0 100{' 0' * 30}\n",
    "proc/43/task/43/stat": f"43 (idle) I 2 0 0 0 -1 69238880 {'0 ' * 10}1 0 100{' 0' * 30}\n",
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
    "sys/class/thermal/thermal_zone0/policy": "step_wise\n",
    "sys/class/thermal/thermal_zone1/type": "broken\n",
    "sys/class/thermal/cooling_device0/type": "Processor\n",
    "sys/class/thermal/cooling_device0/cur_state": "1\n",
    "sys/class/thermal/cooling_device0/max_state": "10\n",
    "sys/devices/system/edac/mc/mc0/ce_count": "3\n",
    "sys/devices/system/edac/mc/mc0/ue_count": "1\n",
    "sys/devices/system/edac/mc/mc0/ce_noinfo_count": "2\n",
    "sys/devices/system/edac/mc/mc0/ue_noinfo_count": "0\n",
    "sys/devices/system/edac/mc/mc0/csrow0/ce_count": "1\n",
    "sys/devices/system/edac/mc/mc0/csrow0/ue_count": "1\n",
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
    **{
        f"sys/devices/system/cpu/cpu{cpu}/{file}": text
        for cpu in (0, 1)
        for file, text in {
            "topology/physical_package_id": "0\n",
            "topology/core_id": f"{cpu}\n",
            "thermal_throttle/core_throttle_count": f"{cpu + 5}\n",
            "thermal_throttle/package_throttle_count": "30\n",
            "cpufreq/cpuinfo_cur_freq": "1199195\n",
            "cpufreq/cpuinfo_min_freq": "800000\n",
            "cpufreq/cpuinfo_max_freq": "2400000\n",
            "cpufreq/cpuinfo_transition_latency": "0\n",
            "cpufreq/scaling_cur_freq": f"{1219917 + cpu}\n",
            "cpufreq/scaling_min_freq": "800000\n",
            "cpufreq/scaling_max_freq": "2400000\n",
            "cpufreq/scaling_governor": "powersave\n",
            "cpufreq/scaling_available_governors": "performance powersave\n",
            "cpufreq/scaling_driver": "intel_pstate\n",
            "cpufreq/related_cpus": f"{cpu}\n",
            "cpufreq/scaling_setspeed": "<unsupported>\n",
        }.items()
    },
    "sys/devices/system/cpu/isolated": "1\n",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/name": "coretemp\n",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input": "55000\n",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_label": "Package id 0\n",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_max": "84000\n",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_crit": "100000\n",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_crit_alarm": "0\n",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_crit_hyst": "95000\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/name": "nct6779\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/beep_enable": "1\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/update_interval": "2000\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/vrm": "12\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/fan2_input": "1098\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/fan2_min": "300\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/fan2_alarm": "0\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/fan2_beep": "0\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/fan2_pulses": "2\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/in0_input": "792\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/in0_max": "1744\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/pwm1": "255\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/pwm1_enable": "5\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/temp2_type": "4\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/curr1_input": "1500\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/humidity1_input": "425000\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/energy1_input": "5000000\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/power1_average": "345000000\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/power1_average_interval": "300000\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/power1_accuracy": "50000\n",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/intrusion0_alarm": "1\n",
    "sys/class/power_supply/AC/online": "0\n",
    "sys/class/power_supply/AC/type": "Mains\n",
    "sys/class/power_supply/BAT0/capacity": "98\n",
    "sys/class/power_supply/BAT0/capacity_level": "Normal\n",
    "sys/class/power_supply/BAT0/cycle_count": "7\n",
    "sys/class/power_supply/BAT0/energy_full": "50060000\n",
    "sys/class/power_supply/BAT0/energy_now": "49450000\n",
    "sys/class/power_supply/BAT0/manufacturer": "LGC\n",
    "sys/class/power_supply/BAT0/power_now": "4830000\n",
    "sys/class/power_supply/BAT0/present": "1\n",
    "sys/class/power_supply/BAT0/status": "Discharging\n",
    "sys/class/power_supply/BAT0/temp": "316\n",
    "sys/class/power_supply/BAT0/type": "Battery\n",
    "sys/class/power_supply/BAT0/voltage_now": "12229000\n",
    "sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl:0/energy_uj": "240422366267\n",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850\n",
    "sys/class/powercap/intel-rapl:0:0/name": "core\n",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": "118821284256\n",
    "sys/class/powercap/intel-rapl:0:0/max_energy_range_uj": "262143328850\n",
    "sys/class/nvme/nvme0/firmware_rev": "1B2QEXP7\n",
    "sys/class/nvme/nvme0/model": "Samsung SSD 970 PRO 512GB\n",
    "sys/class/nvme/nvme0/serial": "S680HF8N190894I\n",
    "sys/class/nvme/nvme0/state": "live\n",
    "sys/class/dmi/id/bios_date": "04/12/2021\n",
    "sys/class/dmi/id/bios_vendor": "Dell Inc.\n",
    "sys/class/dmi/id/bios_version": "2.2.4\n",
    "sys/class/dmi/id/board_name": "07PXPY\n",
    "sys/class/dmi/id/product_family": "PowerEdge\n",
    "sys/class/dmi/id/product_name": "PowerEdge R6515\n",
    "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
}

LINKS = {
    "sys/class/hwmon/hwmon0": "../../devices/platform/coretemp.0/hwmon/hwmon0",
    "sys/class/hwmon/hwmon1": "../../devices/platform/nct6775.656/hwmon/hwmon1",
    "sys/devices/platform/coretemp.0/hwmon/hwmon0/device": "../../../coretemp.0",
    "sys/devices/platform/nct6775.656/hwmon/hwmon1/device": "../../../nct6775.656",
}
"""What the kernel's trees link, and where to."""


def build(directory: Path) -> dict[str, str]:
    """Write the tree and return the paths as HostSettings names them."""
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, target in LINKS.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    return {
        "proc": str(directory / "proc"),
        "sys": str(directory / "sys"),
        "root": str(directory),
    }

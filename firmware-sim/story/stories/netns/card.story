# The card of the heir is off, or its cable is out, when the owner dies: it proves the owner off, says in one sentence why
# it does not take over, and the other node takes it when it is back. A card that fails while it serves is an alarm.
config multiplier 15
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect address alpha within 1s
expect standby bravo within 20s
expect linked within 20s
sleep 1s
say The card of bravo is off, and alpha dies
card bravo off
expect link-down bravo lan within 10s
power-off alpha
expect fenced alpha within 20s
expect told bravo start-failed within 20s
expect why bravo eth0 is switched off: switch it on (ip link set eth0 up) or configure another within 1s
expect alarm bravo failed within 5s
expect no-address for 500ms
expect no-owner for 100ms
power-on alpha
expect owner alpha within 20s
expect address alpha within 1s
expect believed alpha for 300ms
say It is switched on, and cleared
card bravo on
run bravo clear
expect standby bravo within 20s
expect linked within 20s
say The cable of bravo is out, and a person moves the service there
card bravo unplug
expect link-down bravo lan within 10s
try alpha switchover web
expect told bravo start-failed within 20s
expect why bravo eth0 has no carrier: check its cable and the switch within 1s
expect owner alpha within 20s
expect address alpha within 1s
expect believed alpha for 300ms
expect fences 0 for 10ms
card bravo plug
run bravo clear
expect standby bravo within 20s
expect linked within 20s
say The cable of the owner is out: nobody can reach the service, and nothing moves by itself
card alpha unplug
expect alarm alpha nobody can reach 192.0.2.10: eth0 has no carrier within 10s
expect unanswered within 5s
card alpha plug
expect announced alpha within 10s
expect no-alarm alpha link-lost within 10s
expect owner alpha within 10s
expect linked within 20s
expect believed alpha for 300ms
expect not-fenced alpha for 100ms
never two-owners

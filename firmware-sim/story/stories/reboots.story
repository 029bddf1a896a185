# Orderly reboots, as an upgrade makes them: of the standby, of the owner, of both in turn, of both at once. The power
# stays on, nobody is cut, and there is one owner afterwards.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the standby
sleep 200ms
reboot bravo
expect owner alpha for 1s
expect standby bravo within 5s
expect linked within 5s
expect not-fenced bravo for 100ms
expect not-fenced alpha for 10ms
say the owner
sleep 200ms
reboot alpha
expect owner bravo within 5s
expect standby alpha within 5s
expect linked within 5s
expect owner bravo for 1s
expect not-fenced alpha for 100ms
expect not-fenced bravo for 10ms
say a rolling upgrade: each in turn, the service moved by hand before
sleep 200ms
reboot alpha
expect standby alpha within 5s
expect linked within 5s
expect not-fenced alpha for 10ms
run alpha switchover web
expect owner alpha within 5s
expect standby bravo within 5s
reboot bravo
expect standby bravo within 5s
expect linked within 5s
expect owner alpha for 300ms
expect not-fenced bravo for 10ms
say a rolling upgrade in a hurry: the second as soon as the first has the service
repeat 3
reboot alpha
expect owner bravo within 5s
expect not-fenced alpha for 10ms
expect standby alpha within 5s
expect linked within 5s
reboot bravo
expect owner alpha within 5s
expect not-fenced bravo for 10ms
expect standby bravo within 5s
expect linked within 5s
end
say both at once
sleep 200ms
reboot alpha bravo
expect owned within 5s
expect linked within 5s
expect not-fenced alpha for 100ms
expect not-fenced bravo for 10ms
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s

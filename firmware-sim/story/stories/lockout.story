# The budget is spent: nothing moves until a person clears, also over a killed daemon and a reboot.
config moves 2
config fences 2
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
sleep 200ms
power-off alpha
expect owner bravo within 5s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
sleep 200ms
power-off bravo
expect owner alpha within 5s
power-on bravo
expect standby bravo within 5s
expect linked within 5s
sleep 200ms
power-off alpha
expect owner bravo within 5s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
run bravo switchover web
expect owner alpha within 5s
expect standby bravo within 5s
sleep 200ms
power-off alpha
expect locked-out bravo within 5s
expect no-owner for 300ms
kill-daemon bravo
expect locked-out bravo within 5s
sleep 200ms
power-off bravo
expect dark bravo within 5s
power-on bravo
expect locked-out bravo within 5s
expect no-owner for 300ms
run bravo clear
sleep 300ms

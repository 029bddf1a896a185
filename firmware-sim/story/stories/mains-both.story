# Both lose their mains at one instant and get it back at one instant, or one after the other, five times each: one
# owner afterwards, and nobody is cut who was already booting.
config multiplier 10
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say back at one instant
repeat 5
power-off alpha bravo
expect dark alpha within 5s
expect dark bravo within 5s
power-on alpha bravo
expect owner alpha within 10s
expect standby bravo within 5s
expect linked within 5s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
end
say alpha first, and bravo while alpha still waits for it
repeat 5
power-off alpha bravo
expect dark alpha within 5s
expect dark bravo within 5s
power-on alpha
sleep 100ms
power-on bravo
expect owner alpha within 10s
expect standby bravo within 5s
expect linked within 5s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
end
say bravo first, and alpha while bravo still waits for it
repeat 5
power-off alpha bravo
expect dark alpha within 5s
expect dark bravo within 5s
power-on bravo
sleep 100ms
power-on alpha
expect owner alpha within 10s
expect standby bravo within 5s
expect linked within 5s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
end

# Both lose their mains, and one comes back so much later than the other that the first one has started the service by
# itself, on the word of the fail-safe sense: the second one boots as standby. Five times each.
config multiplier 10
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say alpha first
repeat 5
power-off alpha bravo
expect dark alpha within 5s
expect dark bravo within 5s
power-on alpha
expect owner alpha within 10s
power-on bravo
expect standby bravo within 5s
expect linked within 5s
expect owner alpha for 50ms
expect not-fenced bravo for 10ms
expect not-fenced alpha for 10ms
end
say bravo first
repeat 5
power-off alpha bravo
expect dark alpha within 5s
expect dark bravo within 5s
power-on bravo
expect owner bravo within 10s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
expect owner bravo for 50ms
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
end

# Ten minutes of noise on the cable, which is all there is: fifty random bytes a second in each direction, and one byte in
# a thousand damaged, at a pulse every 100 ms and silence after ten. About one pulse in five is lost. Nobody moves, nobody
# is cut, the cable is shown as noisy; and the owner's death is found all the same.
config interval 100ms
config multiplier 10
config network off
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect linked within 10s
noise 50
byte-errors 0.001
expect noisy alpha cable within 5s
expect noisy bravo cable within 5s
repeat 20
say half a minute
expect fences 0 for 30s
end
expect owner alpha within 5s
expect noisy alpha cable within 5s
expect noisy bravo cable within 5s
expect heard alpha within 1s
expect heard bravo within 1s
expect fences 0 for 10ms
power-off alpha
expect owner bravo within 3s
expect fences 1 for 10ms

module go_drain

go 1.19
